"""Changes that survive a crash: how each is begun, completed and rolled back."""
