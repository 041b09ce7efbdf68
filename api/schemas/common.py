"""Regions of the platform, by the names of contract section 9.1."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Entitlement", "Region"]


class Region(StrEnum):
    """Where an organization's calls are handled."""

    US = "us"
    EU = "eu"
    CA = "ca"
    APAC = "apac"

    @property
    def signaling_name(self) -> str:
        """The region as the contract names it."""
        return _SIGNALING_NAMES[self]


_SIGNALING_NAMES = {
    Region.US: "US1",
    Region.EU: "EU1",
    Region.CA: "CA1",
    Region.APAC: "ASIA1",
}


class Entitlement(StrEnum):
    """What an organization has been given the right to use."""

    SIP = "SIP"
    """Every route under ``/v1/sip`` (contract section 1)."""
