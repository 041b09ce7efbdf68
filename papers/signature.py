"""What a signer gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Signature"]


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signer gave at ``at``: a ``typed`` name, or a ``drawing`` as ``check_drawing`` made it (PNG),
    or both."""

    at: datetime
    typed: str = field(default="", repr=False)
    drawing: bytes | None = field(default=None, repr=False)
