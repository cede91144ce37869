"""The programs that use a token: what each one reads, and where."""
