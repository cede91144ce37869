"""Everything the user sees: tables, documents, secrets on request, and messages on stderr."""
