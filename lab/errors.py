"""What can keep a lab from running."""

from __future__ import annotations

__all__ = ["LabError"]


class LabError(Exception):
    """The lab cannot be as asked; ``str`` is one line for a person."""
