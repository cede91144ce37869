"""Variable groups and service connections as the service keeps them; nothing about requests."""
