"""Why a resolution has no target, as one sentence for a person."""

from __future__ import annotations

from collections.abc import Sequence

from sip.resolution import Lookup, Outcome, SrvRecord
from sip.transports import Transport

__all__ = ["address_failure", "srv_failure", "unavailable_failure"]

_WORDS = {
    Outcome.NO_DATA: "it has no address record (A or AAAA)",
    Outcome.NXDOMAIN: "the name does not exist in the DNS (NXDOMAIN)",
    Outcome.SERVFAIL: "the DNS server could not answer (SERVFAIL)",
    Outcome.REFUSED: "the DNS server refused to answer",
    Outcome.LAME: "the DNS server does not know the zone",
    Outcome.MALFORMED: "the DNS server's answer was malformed",
    Outcome.UNREACHABLE: "no DNS server could be reached",
    Outcome.TIMEOUT: "no DNS server answered in time",
    Outcome.CNAME_LOOP: "its CNAME records go round in a circle",
    Outcome.CNAME_LIMIT: "its chain of CNAME records is too long",
}


def address_failure(host: str, lookups: Sequence[Lookup]) -> str:
    """Why a host has no address, from its A and AAAA look-ups of which none was answered."""
    outcomes = [lookup.outcome for lookup in lookups]
    # That one family has no record explains nothing when the other's look-up failed.
    worst = next((one for one in outcomes if one is not Outcome.NO_DATA), Outcome.NO_DATA)
    return f"{host} cannot be resolved: {_WORDS[worst]}"


def srv_failure(host: str, records: Sequence[SrvRecord], objections: Sequence[str]) -> str:
    """Why SRV records gave no target: no target name has an address, or no record is usable."""
    if objections:
        return f"no SRV record of {host} can be used: {objections[0]}"
    names = dict.fromkeys(record.target for record in records)
    return f"no SRV target of {host} has an address: {', '.join([*names][:3])}"


def unavailable_failure(host: str, transport: Transport) -> str:
    """RFC 2782: an SRV record with the target "." says that there is no such service."""
    return f"{host} declares in its SRV records that it offers no SIP over {transport.upper()}"
