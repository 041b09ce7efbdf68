"""How far a discovery is, and why it ended without a result, in words."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DiscoveryStatus", "FailureReason", "failure_message"]


class DiscoveryStatus(StrEnum):
    """Contract section 2, discovery status."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class FailureReason(StrEnum):
    """Code of the failure, as rows and clients see it."""

    INTERRUPTED = "INTERRUPTED"
    """The processes that ran it died, and nobody finished it in time."""
    DNS_FAILURE = "DNS_FAILURE"
    """No address could be found for the name."""
    TARGET_NOT_ALLOWED = "TARGET_NOT_ALLOWED"
    """Every address of the name is one that the operator does not allow."""
    RATE_LIMITED = "RATE_LIMITED"
    """An address of the name had its discoveries of the hour, under whatever name."""


_MESSAGES = {
    FailureReason.INTERRUPTED: "The discovery was interrupted before it ended. Run it again.",
    FailureReason.DNS_FAILURE: "{host} does not lead to an address. Check the spelling and the "
    "A, AAAA and SRV records of the name in public DNS.",
    FailureReason.TARGET_NOT_ALLOWED: "{host} leads only to addresses that may not be contacted "
    "from here. Enter a public name or address; only the operator can allow others.",
    FailureReason.RATE_LIMITED: "{host} leads to an address that was discovered too often in the "
    "last hour. Try again later.",
}


def failure_message(reason: FailureReason, host: str) -> str:
    """What happened and what to change, for the owner of the trunk."""
    return _MESSAGES[reason].format(host=host)
