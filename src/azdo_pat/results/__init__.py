"""The frozen values that use cases return and the output renders."""
