"""Use cases: plain functions over the service, the keyring and the state, given as arguments."""
