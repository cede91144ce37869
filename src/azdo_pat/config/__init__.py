"""Settings: their sources, their valid values, and the configuration file."""
