"""The page of `pat admin report --html`."""
