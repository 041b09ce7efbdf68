"""Fake SIP peers on loopback, with a switch for each failure that a user can meet.

``python -m lab`` runs them for a demonstration, ``Lab`` for a test.
"""

from lab.errors import LabError
from lab.lab import Lab
from lab.peer import LabPeer

__all__ = ["Lab", "LabError", "LabPeer"]
