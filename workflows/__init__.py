"""Durable processes, one file per business word. ``registry.WORKFLOWS`` is what a worker registers."""
