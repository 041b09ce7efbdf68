"""Health monitoring from the placed trunk to the changed state, by processes over real servers."""
