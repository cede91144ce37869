"""The REST client: the only importer of requests."""
