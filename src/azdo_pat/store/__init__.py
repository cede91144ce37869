"""What stays on this machine: secrets in the OS keyring, and what is known of tokens in SQLite."""
