"""pat: manage Azure DevOps personal access tokens from the command line."""

__version__ = "0.1.0"
