"""The sources of the Entra access token."""
