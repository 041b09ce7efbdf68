"""The worker with little patience for a port order's activities: ``python -m tests.support.hasty_worker``.

What a killed worker had begun is repeated when its time is up, up to a minute later: nothing beside weeks,
and too long for a test with a kill at every step. Nothing else is different.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from activities import contracts, port_sending

PATIENCE: Final = {
    "PORT_TIMEOUT": timedelta(seconds=3),
    "LETTER_TIMEOUT": timedelta(seconds=5),
    "CARRIER_TIMEOUT": timedelta(seconds=4),
    "SEND_TIMEOUT": timedelta(seconds=4),
}


def main() -> None:
    """Set the limits before the workflows read them, then work."""
    for name, patience in PATIENCE.items():
        assert hasattr(contracts, name), name
        setattr(contracts, name, patience)
    assert hasattr(port_sending, "CLAIMED_FOR")
    vars(port_sending)["CLAIMED_FOR"] = timedelta(seconds=5)
    import worker

    worker.main()


if __name__ == "__main__":
    main()
