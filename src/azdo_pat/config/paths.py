"""The platform's folders for configuration and state."""

from pathlib import Path

from platformdirs import PlatformDirs


def config_folder() -> Path:
    """Return the platform's folder for the configuration of `pat`; it need not exist."""
    return PlatformDirs("pat", appauthor=False).user_config_path


def state_folder() -> Path:
    """Return the platform's folder for what `pat` remembers; it need not exist."""
    return PlatformDirs("pat", appauthor=False).user_state_path
