"""``trunkline api`` and ``trunkline worker``: the processes of a real installation."""

from __future__ import annotations

__all__ = ["api", "worker"]


def api() -> None:
    """Run the API until SIGTERM or SIGINT."""
    from api.serve import main

    main()


def worker() -> None:
    """Run a Temporal worker until SIGTERM or SIGINT, which drain it."""
    from worker import main

    main()
