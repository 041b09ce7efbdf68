"""The installation's key, which seals letters."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from api.state import ApiState
from papers.seal_key import SealKey, make_seal_key
from storage import port_seal_keys
from storage.ids import new_id

__all__ = ["seal_key"]


async def seal_key(state: ApiState, now: datetime) -> SealKey:
    """The key that seals; it is made when there is none. Raises ``SecretBoxError``."""
    async with state.database.system() as session:
        found = await port_seal_keys.newest(session, state.secret_box)
        if found is None:
            found = await _first_key(session, state, now)
    return SealKey(found.key_pem, found.certificate_pem.encode())


async def _first_key(
    session: AsyncSession, state: ApiState, now: datetime
) -> port_seal_keys.SealKey:
    host = urlsplit(state.settings.public_url or "").hostname
    made = make_seal_key(now, f"Trunkline at {host}" if host else "Trunkline")
    new = port_seal_keys.SealKey(
        id=new_id("psk"),
        key_pem=made.key_pem,
        certificate_pem=made.certificate_pem.decode(),
        created_at=now,
    )
    return await port_seal_keys.keep_first(session, state.secret_box, new)
