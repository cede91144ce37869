"""Settings: where they may come from, what they may be, and the file that keeps them."""
