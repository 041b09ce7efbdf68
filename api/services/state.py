"""The whole configuration of an organization: shown as a document, and made what a document says."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.body_limit import MAX_STATE_BYTES
from api.errors import Conflict, PreconditionFailed
from api.schemas.state import MAX_STATE_NUMBERS, MAX_STATE_TRUNKS, StateInput
from api.schemas.state_views import PbxPassword, PlanView
from api.services.actor import Actor
from api.services.state_changes import carry_out, claim
from api.services.state_plan import changes_of
from api.services.state_present import Present, document_of
from api.services.state_wanted import Wanted, wanted_of
from api.services.trunk_revisions import ETAG_HEADER, Precondition
from domain.state_diff import Difference, difference
from settings import Network
from storage import configuration, trunks
from storage.configuration_size import size_of
from storage.secret_box import SecretBox
from storage.trunk_vault import TrunkVault

__all__ = ["MAX_EXPORT_BYTES", "StateTooLarge", "make", "show"]

MAX_EXPORT_BYTES: Final = MAX_STATE_BYTES // 2
"""Whoever sends a document back may write it with spaces, lines and escapes that it has not here."""


class StateTooLarge(Conflict):
    """More is configured than a document holds, so none could be applied."""

    code = "STATE_TOO_LARGE"

    def __init__(self, there: str, most: str) -> None:
        super().__init__(
            f"{there} are configured, and one document holds at most {most}. Read and change numbers "
            "with GET /v1/sip/numbers, attach, update and detach, and trunks with /v1/sip/trunks."
        )

    @classmethod
    def by_bytes(cls, length: int) -> StateTooLarge:
        """Few trunks and numbers, but with long settings."""
        return cls(f"{length:,} bytes", f"{MAX_EXPORT_BYTES:,}")


async def show(session: AsyncSession, org_id: str) -> tuple[dict[str, Any], str]:
    """The document, and its entity tag. Raises ``StateTooLarge``."""
    await _must_fit(session, org_id)
    found = await configuration.whole(session, org_id)
    return document_of(found), _tag(found.version())


async def make(
    session: AsyncSession,
    box: SecretBox,
    org_id: str,
    body: StateInput,
    *,
    actor: Actor,
    allowed_networks: tuple[Network, ...],
    dry_run: bool,
    if_match: Precondition | None,
) -> tuple[PlanView, str]:
    """Make the configuration what the document says, or with ``dry_run`` only say what differs.

    Answers the differences and the entity tag of what is configured then. Raises
    ``InvalidRequest``, ``PreconditionFailed`` and ``Conflict``; nothing is changed then.
    """
    await trunks.lock(session, org_id)
    await _must_fit(session, org_id)
    found = await configuration.whole(session, org_id)
    version = found.version()
    _must_match(if_match, _tag(version))
    vault = await TrunkVault.opened(session, box)
    present = Present.opened(found, vault)
    wanted = await wanted_of(
        session, vault, org_id, body, present, allowed_networks=allowed_networks
    )
    changes = difference(present.state, wanted.state)
    # Told before anything is carried out: that brings the rows of trunks up to date.
    told = changes_of(changes, present, wanted)
    passwords = None
    if changes and dry_run:
        await _could_claim(session, org_id, changes, wanted)
    elif changes:
        await claim(session, org_id, changes, wanted)
        await carry_out(session, vault, org_id, present, wanted, changes, actor=actor)
        version = await configuration.version_of(session, org_id)
    if not dry_run:
        passwords = _pbx_passwords(vault, org_id, wanted)
    view = PlanView(applied=not dry_run, changes=told, register_passwords_for_pbx=passwords or None)
    return view, _tag(version)


async def _could_claim(
    session: AsyncSession, org_id: str, changes: Difference, wanted: Wanted
) -> None:
    """Whether numbers are free is known only to who takes them; they are given back at once."""
    async with session.begin_nested() as attempt:
        await claim(session, org_id, changes, wanted)
        await attempt.rollback()


async def _must_fit(session: AsyncSession, org_id: str) -> None:
    """What no document can hold is neither shown nor, with all that is missing in it, replaced."""
    size = await size_of(session, org_id)
    if size.numbers > MAX_STATE_NUMBERS:
        raise StateTooLarge(f"{size.numbers:,} numbers", f"{MAX_STATE_NUMBERS:,}")
    if size.trunks > MAX_STATE_TRUNKS:
        raise StateTooLarge(f"{size.trunks:,} trunks", f"{MAX_STATE_TRUNKS:,}")


def _must_match(wanted: Precondition | None, tag: str) -> None:
    if wanted is not None and wanted.tags is not None and tag not in wanted.tags:
        raise PreconditionFailed(headers={ETAG_HEADER: tag})


def _tag(version: str) -> str:
    return f'"{version}"'


def _pbx_passwords(vault: TrunkVault, org_id: str, wanted: Wanted) -> list[PbxPassword]:
    return [
        PbxPassword(
            username=username,
            register_password_for_pbx=vault.pbx_password(org_id, username, password),
        )
        for username, password in sorted(wanted.registrations)
    ]
