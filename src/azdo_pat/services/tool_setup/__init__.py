"""Setting up the tools that use a token, and undoing it."""
