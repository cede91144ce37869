"""The command line of `pat`; its root command is in `main.py`."""
