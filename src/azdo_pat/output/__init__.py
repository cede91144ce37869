"""What the user sees: tables, documents for scripts, secrets on request, and talk on stderr."""
