"""Numbers with an outbound configuration, for tests of calls."""

from __future__ import annotations

from typing import Any

from domain.trunk import Direction, TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from settings import Settings
from storage import bindings, trunks
from storage.bindings import NewBinding
from storage.engine import Database
from storage.ids import new_id
from storage.secret_box import SecretBox
from storage.trunk_vault import TrunkVault

__all__ = ["NUMBER", "add_outbound"]

NUMBER = "+14155550100"


async def add_outbound(
    database: Database,
    settings: Settings,
    org_id: str,
    *,
    number: str = NUMBER,
    endpoint: str = "sip:pbx.example.com",
    priority: int = 0,
    password: str | None = None,
    **options: Any,
) -> str:
    """The id of a trunk that carries calls from this number."""
    assert settings.secret_keys is not None
    box = SecretBox.from_key_ring(settings.secret_keys.get_secret_value())
    profile = TrunkProfile(
        direction=TrunkDirection.OUTBOUND,
        sip_endpoint=endpoint,
        options=TrunkOptions.model_validate(options),
    )
    async with database.system() as session:
        vault = await TrunkVault.opened(session, box)
        trunk = await trunks.create(
            session,
            vault,
            org_id,
            profile,
            TrunkSecrets(sip_password=password),
            name=f"{endpoint} for {number}",
        )
        new = NewBinding(
            id=new_id("cfg"),
            org_id=org_id,
            phone_number=number,
            direction=Direction.OUTBOUND,
            trunk_id=trunk.id,
            priority=priority,
        )
        await bindings.add(session, [new])
    return trunk.id
