"""The programs that use a token: which file each one reads, and its format."""
