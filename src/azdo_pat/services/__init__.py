"""The use cases: plain functions that take a request and `Deps`, and return a frozen result."""
