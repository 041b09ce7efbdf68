"""Addresses in the peer's messages that cannot work from here, in words.

They do not end a call by themselves: a proxy or symmetric RTP can make up for them.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from domain.call_reading import endpoint_words
from domain.replies import shown
from sip.call_facts import AddressFinding, AddressPlace, CallFacts

__all__ = ["findings_of"]

_PLACES: Final = {
    AddressPlace.SDP: ("its SDP", "audio sent there can get lost"),
    AddressPlace.CONTACT: ("its Contact", "our ACK and BYE can get lost"),
    AddressPlace.VIA: ("the Via of its requests", "our answers to them can get lost"),
    AddressPlace.RECORD_ROUTE: ("its Record-Route", "our ACK and BYE can get lost"),
}


def findings_of(
    facts: CallFacts, places: Container[AddressPlace] = frozenset(AddressPlace)
) -> tuple[str, ...]:
    """Some sentences for each address that was found in ``places``, also for a call that works."""
    found = [_finding(each) for each in facts.addresses if each.place in places]
    return tuple(
        dict.fromkeys([*found, *(_moved_media(facts) if AddressPlace.SDP in places else ())])
    )


def _finding(finding: AddressFinding) -> str:
    where, effect = _PLACES[finding.place]
    address, problem = shown(finding.address), shown(finding.problem).rstrip(".")
    told = problem if address in problem else f"{address}: {problem}"
    kept = " It was not contacted." if finding.blocked else ""
    return f"The peer names {address} in {where}; {effect}. {told[:1].upper()}{told[1:]}.{kept}"


def _moved_media(facts: CallFacts) -> list[str]:
    media = facts.media
    if media is None or not media.source_differs or media.source is None:
        return []
    return [
        f"Audio came from {endpoint_words(media.source)}, although the peer's SDP says "
        f"{endpoint_words(media.expected_source)}: it is behind a NAT, or its SDP holds the wrong "
        "address."
    ]
