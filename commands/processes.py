"""``trunkline api``, ``worker`` and ``hep``: the processes of a real installation."""

from __future__ import annotations

__all__ = ["api", "hep", "worker"]


def api() -> None:
    """Run the API until SIGTERM or SIGINT."""
    from api.serve import main

    main()


def worker() -> None:
    """Run a Temporal worker until SIGTERM or SIGINT, which drain it."""
    from worker import main

    main()


def hep() -> None:
    """Collect the SIP messages that other servers export as HEPv3, until SIGTERM or SIGINT."""
    from capture.serve import main

    main()
