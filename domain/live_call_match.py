"""Whose call it is: the organization and trunk that a call of real traffic belongs to.

A number alone proves little, since a caller may name any. So where several fit, the trunk counts whose
peer took part, and of these the one whose peer stands where it must: a call goes out to it, or comes in
from it. What stays open is for operators only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from domain.live_call import LiveCall
from domain.phone_numbers import spellings_of
from domain.trunk import Direction

__all__ = ["Match", "MatchKind", "Owner", "local_match", "numbers_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A number's binding to a trunk in one direction; ``peer_addresses`` are IP literals."""

    org_id: str
    trunk_id: str
    direction: Direction
    phone_number: str
    peer_addresses: frozenset[str] = frozenset()


class MatchKind(StrEnum):
    """How sure it is whose call it is."""

    MATCHED = "matched"
    AMBIGUOUS = "ambiguous"
    """Several organizations fit alike."""
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Everything but ``kind`` is None unless it is matched; ``trunk_id`` also when several trunks of
    the organization fit alike. ``candidates`` are the organizations of an ambiguous call, sorted.
    """

    kind: MatchKind
    org_id: str | None = None
    trunk_id: str | None = None
    direction: Direction | None = None
    phone_number: str | None = None
    candidates: tuple[str, ...] = ()


def numbers_of(call: LiveCall) -> tuple[str, ...]:
    """The stored numbers that the call may be of: the keys that `local_match` asks for.

    Digits are an E.164 number without its ``+`` as well; everything else is compared as it is.
    """
    users = (*call.callers, *call.callees)
    return tuple(dict.fromkeys(spelling for user in users for spelling in spellings_of(user)))


def local_match(call: LiveCall, owners: Mapping[str, Sequence[Owner]]) -> Match:
    """The owner of a call. ``owners`` are the bindings by stored number.

    The caller's number counts where it is bound outbound, the callee's where it is bound inbound.
    """
    sides = ((call.callers, Direction.OUTBOUND), (call.callees, Direction.INBOUND))
    fits = [
        owner
        for users, direction in sides
        for user in users
        for spelling in spellings_of(user)
        for owner in owners.get(spelling, ())
        if owner.direction is direction
    ]
    if not fits:
        return Match(kind=MatchKind.UNMATCHED)
    source, destination = _plain(call.source[0]), _plain(call.destination[0])
    weights = [_weight(owner, source, destination) for owner in fits]
    best = [owner for owner, weight in zip(fits, weights, strict=True) if weight == max(weights)]
    organizations = {owner.org_id for owner in best}
    if len(organizations) > 1:
        return Match(kind=MatchKind.AMBIGUOUS, candidates=tuple(sorted(organizations)))
    first = best[0]
    trunks = {owner.trunk_id for owner in best if owner.direction is first.direction}
    return Match(
        kind=MatchKind.MATCHED,
        org_id=first.org_id,
        trunk_id=first.trunk_id if len(trunks) == 1 else None,
        direction=first.direction,
        phone_number=first.phone_number,
    )


def _weight(owner: Owner, source: str, destination: str) -> int:
    """2 when the trunk's peer stands where the direction puts it, 1 when it takes part, else 0."""
    outbound = owner.direction is Direction.OUTBOUND
    if (destination if outbound else source) in owner.peer_addresses:
        return 2
    return 1 if {source, destination} & owner.peer_addresses else 0


def _plain(address: str) -> str:
    """The address as it is stored: an IPv4 one that a dual-stack socket saw is IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)
