"""Who is who in a call: the caller, the servers between, and the INVITE whose answer counts.

A proxy's exporter shows a call on two ways, and only what goes back on the way on which the INVITE
came is what the caller was told. Sources: RFC 3261 8.1.3.4 and 22.2 (a new INVITE after a redirection
or a challenge has the same Call-ID and From tag, and a higher CSeq), 16.7, 17.1.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from domain.live_call_sighting import Address, Sighting, moment_order

__all__ = ["Scene"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """``invite`` is the counting attempt's on the caller's way; all sightings are in order of capture.

    ``first`` is the first INVITE of all, ``last`` the one that went farthest. ``relays`` are the
    addresses that passed an INVITE on. ``responses`` are those to the counting attempt, 100 left out;
    ``told`` are those of them that went back to the caller.
    """

    first: Sighting
    last: Sighting
    invite: Sighting
    attempts: int
    relays: frozenset[Address]
    responses: tuple[Sighting, ...]
    told: tuple[Sighting, ...]
    others: tuple[Sighting, ...]

    @classmethod
    def of(cls, sightings: Iterable[Sighting], reinvites: Iterable[tuple[str, int]]) -> Self | None:
        """Put a call's sightings in order; None without an INVITE that opens a call."""
        ordered = sorted(sightings, key=moment_order)
        invites = [each for each in ordered if each.method == "INVITE" and not each.status]
        if not invites:
            return None
        first = invites[0]
        relays = _relays(invites, first)
        inside = frozenset(reinvites)
        responses = [
            each
            for each in ordered
            if each.method == "INVITE"
            and each.status
            and each.from_tag == first.from_tag
            and (each.from_tag, each.cseq) not in inside
        ]
        attempts = _attempts(invites, relays, responses)
        number = _counting(attempts, responses)
        invite = attempts[number]
        answering = tuple(each for each in responses if each.cseq == number)
        return cls(
            first=first,
            last=invites[-1],
            invite=invite,
            attempts=len(attempts),
            relays=relays,
            responses=answering,
            told=tuple(each for each in answering if _goes_back(each, invite)),
            others=tuple(each for each in ordered if each.method != "INVITE"),
        )

    @property
    def number(self) -> int:
        """The CSeq number of the counting attempt."""
        return self.invite.cseq

    @property
    def caller_tag(self) -> str:
        """The From tag of the caller."""
        return self.first.from_tag

    @property
    def answer(self) -> Sighting | None:
        """The first 2xx, as the caller got it if that was captured."""
        return next(
            (each for each in (*self.told, *self.responses) if 200 <= each.status < 300), None
        )

    @property
    def refusal(self) -> Sighting | None:
        """The final response that refused the call, as the caller got it."""
        return next((each for each in self.told if each.status >= 300), None)

    @property
    def last_refusal(self) -> Sighting | None:
        """The last final response that refused the call at all: what the caller must have been told
        when nothing that went back was captured.
        """
        return next((each for each in reversed(self.responses) if each.status >= 300), None)

    def of_method(self, method: str) -> list[Sighting]:
        """The CANCEL, BYE or ACK messages and what answers them."""
        return [each for each in self.others if each.method == method]


def _relays(invites: list[Sighting], first: Sighting) -> frozenset[Address]:
    """Addresses that received an INVITE and sent one.

    A server may send from another port than it listens on (TCP), so its host counts where that is
    not the caller's as well.
    """
    addresses = {each.destination for each in invites}
    hosts = {host for host, _ in addresses} - {first.source[0]}
    senders = {
        each.source
        for each in invites
        if each.source != first.source and (each.source in addresses or each.source[0] in hosts)
    }
    sending_hosts = {host for host, _ in senders} - {first.source[0]}
    return frozenset(senders | {each for each in addresses if each[0] in sending_hosts})


def _attempts(
    invites: list[Sighting], relays: frozenset[Address], responses: list[Sighting]
) -> dict[int, Sighting]:
    """The caller's INVITE of each CSeq number, in the order of the numbers.

    One that was not captured is made up from what came back on the way of the first.
    """
    first = invites[0]
    found = {first.cseq: first}
    for each in invites[1:]:
        if each.from_tag == first.from_tag and each.source not in relays:
            found.setdefault(each.cseq, each)
    for each in responses:
        if each.cseq not in found and _is_reverse(each, first):
            found[each.cseq] = first._replace(cseq=each.cseq, branch="")
    return dict(sorted(found.items()))


def _counting(attempts: dict[int, Sighting], responses: list[Sighting]) -> int:
    """The number of the attempt that was answered, or else of the last one."""
    answered = {each.cseq for each in responses if 200 <= each.status < 300}
    return next((number for number in attempts if number in answered), max(attempts))


def _goes_back(response: Sighting, invite: Sighting) -> bool:
    if _is_reverse(response, invite):
        return True
    return bool(invite.branch) and response.branch == invite.branch


def _is_reverse(response: Sighting, invite: Sighting) -> bool:
    return response.source == invite.destination and response.destination == invite.source
