"""The use cases: plain functions that get the service, the keyring and the state as arguments."""
