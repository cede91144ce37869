"""Storage on this machine: secrets in the OS keyring, the index and the journal in SQLite."""
