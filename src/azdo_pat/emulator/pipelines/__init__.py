"""The APIs of variable groups and service connections, and how tests control them."""
