"""Where the Entra access token comes from."""
