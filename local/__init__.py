"""The one-machine system: the servers that a real installation brings itself, run as children."""
