"""Numbers attached: each to the trunks that carry its directions, or told why not (contract 3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict, InvalidRequest, NotFound
from api.schemas.number_views import AttachView, FailedNumber
from api.schemas.numbers import AttachRequest, DirectionInput
from api.services.actor import Actor
from api.services.audit import record_each
from api.services.connections import Connection, wanted
from domain.phone_numbers import InvalidNumber, identity_of, is_e164, number_of
from domain.trunk import MAX_CONFIGURATIONS, Direction
from storage import audit, bindings, trunks
from storage.ids import is_id, new_id
from storage.secret_box import SecretBox
from storage.tables import NumberBinding, Trunk
from storage.trunk_vault import TrunkVault

__all__ = ["attach"]


@dataclass(slots=True)
class _Target:
    """A direction and what carries it; an implicit trunk is made when the first number needs it."""

    direction: Direction
    trunk: Trunk | None
    connection: Connection | None = None


@dataclass(slots=True)
class _Outcome:
    """What became of the numbers so far; ``wanted`` holds the stored form and the one sent."""

    wanted: dict[str, str] = field(default_factory=dict)
    failed: list[FailedNumber] = field(default_factory=list)

    def fail(self, number: str, code: str, message: str) -> None:
        sent = self.wanted.pop(number)
        self.failed.append(FailedNumber(phone_number=sent, error=code, message=message))


async def attach(
    session: AsyncSession, box: SecretBox, org_id: str, body: AttachRequest, *, actor: Actor
) -> AttachView:
    """Bind every number to every direction's trunk; a number that cannot be is left as it is.

    An identical configuration that is there already stays the only one; another one comes behind
    those of its direction. Raises ``InvalidRequest``, ``NotFound`` or ``Conflict`` for the request
    as a whole.
    """
    await trunks.lock(session, org_id)
    vault = await TrunkVault.opened(session, box)
    targets = await _targets(session, vault, org_id, body)
    outcome = _read_numbers(body)
    present = await bindings.of_numbers(session, org_id, outcome.wanted)
    missing = {number: _missing(present.get(number, ()), targets) for number in outcome.wanted}
    _apply_limit(outcome, present, missing)
    await _claim(session, org_id, outcome, missing)
    todo = {number: missing[number] for number in outcome.wanted if missing[number]}
    await _bind(session, vault, org_id, todo, present, actor)
    return AttachView(
        configured=list(outcome.wanted),
        failed=outcome.failed,
        register_password_for_pbx=_password_for_pbx(vault, org_id, targets),
    )


async def _targets(
    session: AsyncSession, vault: TrunkVault, org_id: str, body: AttachRequest
) -> list[_Target]:
    named = await _named_trunk(session, org_id, body)
    if named is not None:
        for index, direction in enumerate(body.directions):
            _must_be_carried(named, direction, f"directions.{index}")
        return [
            _Target(direction, named)
            for direction in dict.fromkeys(each.type for each in body.directions)
        ]
    found: dict[bytes, _Target] = {}
    for index, direction in enumerate(body.directions):
        connection = wanted(direction, f"directions.{index}")
        mark = vault.fingerprint(org_id, connection.profile, connection.secrets)
        if mark not in found:
            trunk = await trunks.find_implicit(session, org_id, mark)
            found[mark] = _Target(direction.type, trunk, connection)
    return list(found.values())


async def _named_trunk(session: AsyncSession, org_id: str, body: AttachRequest) -> Trunk | None:
    if body.trunk_id is None:
        return None
    found = None
    if is_id("trk", body.trunk_id):
        found = await trunks.get(session, org_id, body.trunk_id)
    if found is None:
        raise NotFound("no such trunk", field="trunk_id")
    return found


def _must_be_carried(trunk: Trunk, direction: DirectionInput, place: str) -> None:
    """A trunk gives its numbers everything, so a direction can only repeat what the trunk is."""
    if not trunk.direction.serves(direction.type):
        raise InvalidRequest(
            f"{place}.type: the trunk carries {trunk.direction.value} calls only",
            field=f"{place}.type",
        )
    repeats = {"sip_endpoint": trunk.sip_endpoint, "auth_mode": trunk.auth_mode}
    for name in ("sip_endpoint", "auth_mode", "register_auth", "headers", "options"):
        given = getattr(direction, name)
        if given is not None and (name not in repeats or given != repeats[name]):
            raise InvalidRequest(
                f"{place}.{name}: comes from the trunk; leave it out, or change the trunk",
                field=f"{place}.{name}",
            )
    if direction.type is Direction.OUTBOUND and trunk.sip_endpoint is None:
        raise Conflict("the trunk has no endpoint to send calls to", code="TRUNK_HAS_NO_ENDPOINT")


def _read_numbers(body: AttachRequest) -> _Outcome:
    read = number_of if body.trunk_id is None else identity_of
    outcome = _Outcome()
    for text in body.numbers:
        try:
            outcome.wanted.setdefault(read(text), text)
        except InvalidNumber as error:
            outcome.failed.append(
                FailedNumber(phone_number=text, error="INVALID_NUMBER", message=str(error))
            )
    return outcome


def _missing(present: Iterable[NumberBinding], targets: list[_Target]) -> list[_Target]:
    there = {(binding.direction, binding.trunk_id) for binding in present}
    return [
        target
        for target in targets
        if target.trunk is None or (target.direction, target.trunk.id) not in there
    ]


def _apply_limit(
    outcome: _Outcome,
    present: dict[str, list[NumberBinding]],
    missing: dict[str, list[_Target]],
) -> None:
    for number in list(outcome.wanted):
        count = len(present.get(number, ()))
        if missing[number] and count + len(missing[number]) > MAX_CONFIGURATIONS:
            outcome.fail(
                number,
                "CONFIG_LIMIT",
                f"{number} has {count} of at most {MAX_CONFIGURATIONS} configurations; "
                "detach or update one of them first.",
            )


async def _claim(
    session: AsyncSession, org_id: str, outcome: _Outcome, missing: dict[str, list[_Target]]
) -> None:
    """Calls to an E.164 number can come in for one organization only."""
    incoming = {
        number
        for number in outcome.wanted
        if is_e164(number)
        and any(target.direction is Direction.INBOUND for target in missing[number])
    }
    mine = await bindings.claim_inbound(session, org_id, incoming)
    for number in sorted(incoming - mine):
        outcome.fail(
            number,
            "NUMBER_UNAVAILABLE",
            f"{number} already receives calls for somebody else; its holder must detach it there.",
        )


async def _bind(
    session: AsyncSession,
    vault: TrunkVault,
    org_id: str,
    todo: dict[str, list[_Target]],
    present: dict[str, list[NumberBinding]],
    actor: Actor,
) -> None:
    created = []
    new = []
    for number, targets in todo.items():
        slots = {
            direction: _next_slot(present.get(number, ()), direction) for direction in Direction
        }
        for target in targets:
            if target.trunk is None:
                target.trunk = await _create(session, vault, org_id, target)
                created.append(target.trunk.id)
            new.append(
                bindings.NewBinding(
                    id=new_id("cfg"),
                    org_id=org_id,
                    phone_number=number,
                    direction=target.direction,
                    trunk_id=target.trunk.id,
                    priority=slots[target.direction],
                )
            )
            slots[target.direction] += 1
    await bindings.add(session, new)
    await trunks.announce(
        session, org_id, created=created, changed={binding.trunk_id for binding in new}
    )
    await record_each(
        session,
        actor,
        org_id=org_id,
        action="number.attach",
        subject_kind="number",
        changes=_audited(new),
    )


async def _create(session: AsyncSession, vault: TrunkVault, org_id: str, target: _Target) -> Trunk:
    if target.connection is None:
        raise RuntimeError("a target without a trunk is described by the request")
    return await trunks.create(
        session, vault, org_id, target.connection.profile, target.connection.secrets
    )


def _next_slot(present: Iterable[NumberBinding], direction: Direction) -> int:
    taken = (binding.priority for binding in present if binding.direction is direction)
    return max(taken, default=-1) + 1


def _audited(new: list[bindings.NewBinding]) -> list[audit.Change]:
    by_number: dict[str, list[dict[str, str]]] = {}
    for binding in new:
        by_number.setdefault(binding.phone_number, []).append(
            {"id": binding.id, "direction": binding.direction, "trunk_id": binding.trunk_id}
        )
    return [
        audit.Change(number, after={"configurations": made}) for number, made in by_number.items()
    ]


def _password_for_pbx(vault: TrunkVault, org_id: str, targets: list[_Target]) -> str | None:
    """The derived password of the registration that the request itself described."""
    for target in targets:
        if target.connection is not None:
            username = target.connection.profile.register_username
            password = target.connection.secrets.register_password
            if username is not None and password is not None:
                return vault.pbx_password(org_id, username, password)
    return None
