"""A local Azure DevOps for personal access tokens; it shares no code with the client it tests."""
