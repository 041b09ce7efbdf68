"""The configuration that a document asks for, with everything that is wrong in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.state import (
    MAX_NEW_CONNECTIONS,
    CarrierInput,
    NumbersInput,
    StateInput,
)
from api.services.connections import Connection
from api.services.state_connections import ConnectionReader
from api.services.state_passwords import Kept
from api.services.state_present import Present
from api.services.state_problems import Problems
from api.services.state_trunks import WantedTrunks
from domain.phone_numbers import InvalidNumber, identity_of, number_of
from domain.state_diff import Route, State
from domain.trunk import Direction, TrunkDirection, TrunkSecrets
from settings import Network
from storage.trunk_vault import TrunkVault

__all__ = ["Wanted", "wanted_of"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a document asks for.

    ``connections`` are the unnamed trunks that are not there yet, by key; ``registrations`` are
    users with the passwords that the document brought; ``places`` tells where each number stands.
    """

    state: State
    connections: dict[str, Connection]
    registrations: frozenset[tuple[str, str]]
    places: dict[str, str]


@dataclass(slots=True)
class _Carrier:
    """What shall carry a direction of some numbers: a key, or settings whose passwords may be the
    present ones of each number."""

    place: str
    key: str | None = None
    connection: Connection | None = None
    kept: Kept = field(default_factory=Kept)


async def wanted_of(
    session: AsyncSession,
    vault: TrunkVault,
    org_id: str,
    body: StateInput,
    present: Present,
    *,
    allowed_networks: tuple[Network, ...],
) -> Wanted:
    """Read a document against what is there. Raises ``InvalidRequest``, an entry for each field."""
    problems = Problems()
    reader = ConnectionReader(session, org_id, present, allowed_networks)
    trunks = await WantedTrunks.read(body.trunks, present, reader, problems)
    numbers = _Numbers(vault, org_id, present, trunks, reader, problems)
    for index, entry in enumerate(body.numbers):
        await numbers.read(entry, f"numbers.{index}")
    if len(numbers.connections) > MAX_NEW_CONNECTIONS:
        problems.add("numbers", f"at most {MAX_NEW_CONNECTIONS} new connections in one document")
    problems.refuse()
    return Wanted(
        State(trunks.by_key, numbers.routes),
        numbers.connections,
        frozenset(reader.registrations),
        numbers.places,
    )


class _Numbers:
    """Reads the entries of numbers one after the other."""

    def __init__(
        self,
        vault: TrunkVault,
        org_id: str,
        present: Present,
        trunks: WantedTrunks,
        reader: ConnectionReader,
        problems: Problems,
    ) -> None:
        self.places: dict[str, str] = {}
        self.routes: dict[Route, tuple[str, ...]] = {}
        self.connections: dict[str, Connection] = {}
        self._vault = vault
        self._org_id = org_id
        self._present = present
        self._trunks = trunks
        self._reader = reader
        self._problems = problems
        self._implicit = {
            self._mark(present.connections[trunk.id]): trunk.id
            for trunk in present.configuration.trunks
            if trunk.implicit
        }

    async def read(self, entry: NumbersInput, place: str) -> None:
        """Take the numbers of an entry with what carries them."""
        numbers = self._read_numbers(entry, place)
        for direction in Direction:
            carriers = [
                await self._read_carrier(each, direction, f"{place}.{direction.value}.{index}")
                for index, each in enumerate(entry.carriers(direction))
            ]
            keys = [self._keys(each, numbers, direction) for each in carriers]
            doubles: set[str] = set()
            for index, number in enumerate(numbers):
                route = [each[index] for each in keys]
                if route:
                    self.routes[number, direction] = tuple(route)
                if len(set(route)) < len(route):
                    doubles |= _doubles(carriers, route)
            for double in sorted(doubles):
                self._problems.add(double, "is there twice for one number")

    def _read_numbers(self, entry: NumbersInput, place: str) -> list[str]:
        on_trunks = all(each.trunk is not None for each in (*entry.inbound, *entry.outbound))
        found: list[str] = []
        for index, text in enumerate(entry.phone_numbers):
            where = f"{place}.phone_numbers.{index}"
            # What was bound to a trunk once keeps its form when it has settings of its own.
            verbatim = on_trunks or text in self._present.numbers
            try:
                number = identity_of(text) if verbatim else number_of(text)
            except InvalidNumber as error:
                self._problems.add(where, str(error), "INVALID_NUMBER")
                continue
            if number in self.places:
                self._problems.add(where, f"is at {self.places[number]} already")
                continue
            self.places[number] = where
            found.append(number)
        return found

    async def _read_carrier(
        self, given: CarrierInput, direction: Direction, place: str
    ) -> _Carrier:
        if given.trunk is not None:
            key = self._trunks.key_of(given.trunk, direction, place, self._problems)
            return _Carrier(place, key=key or "")
        with self._problems.inside(place):
            connection, kept = await self._reader.read(given, TrunkDirection(direction))
            return _Carrier(place, connection=connection, kept=kept)
        return _Carrier(place, key="")

    def _keys(self, carrier: _Carrier, numbers: Sequence[str], direction: Direction) -> list[str]:
        """The key of the trunk that carries each of these numbers."""
        if carrier.connection is None:
            # Of what is refused the place alone tells it from others.
            return [carrier.key or carrier.place] * len(numbers)
        if not carrier.kept.names:
            return [self._key(carrier.connection)] * len(numbers)
        sources = [self._own_source(carrier, number, direction) for number in numbers]
        with self._problems.inside(carrier.place):
            shared = self._shared_source(carrier, sources)
            by_secrets: dict[TrunkSecrets | None, str] = {}
            keys = []
            for source in (each or shared for each in sources):
                secrets = None if source is None else source.secrets
                if secrets not in by_secrets:
                    by_secrets[secrets] = self._key(carrier.kept.put_in(carrier.connection, source))
                keys.append(by_secrets[secrets])
            return keys
        return [carrier.place] * len(numbers)

    def _own_source(
        self, carrier: _Carrier, number: str, direction: Direction
    ) -> Connection | None:
        if carrier.connection is None:
            return None
        slots = self._present.slots.get((number, direction), ())
        own = [self._present.connections[slot.carrier] for slot in slots]
        return carrier.kept.from_own(carrier.connection.profile, own)

    def _shared_source(
        self, carrier: _Carrier, sources: Sequence[Connection | None]
    ) -> Connection | None:
        """For numbers that have no such password: that of the numbers beside them, else the only
        one that these settings have anywhere."""
        if carrier.connection is None or None not in sources:
            return None
        beside = carrier.kept.from_others(each for each in sources if each is not None)
        if beside is not None:
            return beside
        return carrier.kept.from_others(
            each
            for each in self._present.connections.values()
            if each.profile == carrier.connection.profile
        )

    def _key(self, connection: Connection) -> str:
        mark = self._mark(connection)
        key = self._implicit.get(mark)
        if key is None:
            key = f"new {mark.hex()}"
            self.connections[key] = connection
        return key

    def _mark(self, connection: Connection) -> bytes:
        return self._vault.fingerprint(self._org_id, connection.profile, connection.secrets)


def _doubles(carriers: Sequence[_Carrier], route: Sequence[str]) -> set[str]:
    """The places whose trunk an earlier one has already."""
    return {
        carrier.place
        for index, (carrier, key) in enumerate(zip(carriers, route, strict=True))
        if key in route[:index]
    }
