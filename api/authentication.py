"""Who sends a request: the API key in ``Authorization`` and what it stands for.

A key is 256 random bits, so its plain SHA-256 is what is stored and looked up; there is nothing to guess and
nothing to compare in constant time. What a look-up found is kept for 5 s at most: a revoked key works no
longer than that on other processes, and not at all on the one that revoked it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from api.errors import AuthFailure
from storage import api_keys
from storage.engine import Database
from storage.tables import Role

__all__ = ["CACHE_LIFE", "Authenticator", "Principal"]

CACHE_LIFE = timedelta(seconds=5)
# About 4 MB; more keys than that in five seconds are looked up again.
CACHE_SIZE = 10_000

# 32 random bytes in base64url.
_KEY = re.compile(re.escape(api_keys.KEY_PREFIX) + "[A-Za-z0-9_-]{43}")
_STRENGTH = {role: strength for strength, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Principal:
    """The organization a request acts for, and how much it may."""

    org_id: str
    key_id: str
    role: Role
    entitlements: frozenset[str]

    def may(self, role: Role) -> bool:
        """Whether the key's role is ``role`` or a stronger one."""
        return _STRENGTH[self.role] >= _STRENGTH[role]

    def manages(self, org_id: str) -> bool:
        """Whether this organization exists for the key: its own, or any for an operator."""
        return self.org_id == org_id or self.role is Role.OPERATOR


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    expires_at: datetime | None
    read_at: float


class Authenticator:
    """Finds the principal of a request. One per process; keeps no more than ``CACHE_SIZE`` answers."""

    def __init__(
        self,
        database: Database,
        *,
        life: timedelta = CACHE_LIFE,
        size: int = CACHE_SIZE,
        ticks: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._life = life.total_seconds()
        self._size = size
        self._ticks = ticks
        self._now = now
        self._role_is_safe = False
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def principal(self, authorization: str | None) -> Principal:
        """The principal of an ``Authorization`` header (``Bearer <key>`` or the bare key).

        Raises ``AuthFailure`` for a missing, unknown, revoked or expired key,
        ``DatabaseUnavailable``, and ``UnsafeRole`` when tenancy would not hold: nobody is let in then.
        """
        key_hash = api_keys.hash_of(_key_in(authorization))
        known = self._recent(key_hash) or await self._look_up(key_hash)
        if known is None or (known.expires_at is not None and known.expires_at <= self._now()):
            raise AuthFailure
        return known.principal

    def forget(self, org_id: str) -> None:
        """Look this organization's keys up again: a key was revoked or an entitlement changed."""
        for key_hash, known in list(self._known.items()):
            if known.principal.org_id == org_id:
                del self._known[key_hash]

    def _recent(self, key_hash: bytes) -> _Known | None:
        known = self._known.get(key_hash)
        if known is None or self._ticks() - known.read_at >= self._life:
            return None
        return known

    async def _look_up(self, key_hash: bytes) -> _Known | None:
        # The age counts from before the query: a revocation may commit while it runs.
        read_at = self._ticks()
        if not self._role_is_safe:
            await self._database.check_role()
            self._role_is_safe = True
        async with self._database.system() as session:
            found = await api_keys.find(session, key_hash, now=self._now())
        if found is None:
            self._known.pop(key_hash, None)
            return None
        key, organization = found
        known = _Known(
            Principal(key.org_id, key.id, key.role, frozenset(organization.entitlements)),
            key.expires_at,
            read_at,
        )
        self._known[key_hash] = known
        self._known.move_to_end(key_hash)
        while len(self._known) > self._size:
            self._known.popitem(last=False)
        return known


def _key_in(authorization: str | None) -> str:
    text = (authorization or "").strip()
    scheme, separator, rest = text.partition(" ")
    if separator and scheme.lower() == "bearer":
        text = rest.strip()
    if _KEY.fullmatch(text) is None:
        raise AuthFailure
    return text
