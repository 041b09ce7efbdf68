"""The passwords of trunks: sealed, opened, and compared without being opened.

Random keys of the installation, sealed like every secret, stay the same when the key ring is rotated:
one recognises settings by their keyed hash, one derives the password of a registration, one the tokens
of links to signing pages.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.passwords import password_for_pbx
from domain.trunk import TrunkProfile, TrunkSecrets
from sip.tls_identity import ClientCertificate
from storage.secret_box import SecretBox
from storage.tables import ServerKey, Trunk

__all__ = ["SealedSecrets", "TrunkVault", "client_certificate_of", "opened", "server_key"]

KEY_BYTES: Final = 32
# Server keys belong to no organization; no organization has this id.
NOBODY: Final = "*"

_KeyName = Literal["trunk_settings", "pbx_password", "signature_links"]


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """The columns of ``trunks`` that hold secrets."""

    sip_password_sealed: bytes | None
    register_password_sealed: bytes | None
    pbx_password_sealed: bytes | None
    client_key_sealed: bytes | None


@dataclass(frozen=True, slots=True)
class TrunkVault:
    """The ring and the two keys; open it once for a transaction."""

    box: SecretBox
    _settings_key: bytes = field(repr=False)
    _pbx_key: bytes = field(repr=False)

    @classmethod
    async def opened(cls, session: AsyncSession, box: SecretBox) -> TrunkVault:
        """The vault of this installation; its keys are made when they are first asked for.

        Raises ``SecretBoxError`` when the ring does not hold the key they were sealed with.
        """
        return cls(
            box,
            await server_key(session, box, "trunk_settings"),
            await server_key(session, box, "pbx_password"),
        )

    def fingerprint(self, org_id: str, profile: TrunkProfile, secrets: TrunkSecrets) -> bytes:
        """Keyed hash of everything that makes a connection what it is, passwords included."""
        digest = hmac.new(self._settings_key, org_id.encode() + b"\0", hashlib.sha256)
        digest.update(profile.canonical(secrets))
        return digest.digest()

    def pbx_password(self, org_id: str, username: str, password: str) -> str:
        """What a PBX must expect of our REGISTER (see ``domain.passwords``)."""
        return password_for_pbx(self._pbx_key, org_id=org_id, username=username, password=password)

    def seal(self, org_id: str, profile: TrunkProfile, secrets: TrunkSecrets) -> SealedSecrets:
        """The secrets as they are stored, the derived one among them."""
        derived = None
        if profile.register_username is not None and secrets.register_password is not None:
            derived = self.pbx_password(
                org_id, profile.register_username, secrets.register_password
            )
        return SealedSecrets(
            self._sealed(org_id, "sip_password", secrets.sip_password),
            self._sealed(org_id, "register_password", secrets.register_password),
            self._sealed(org_id, "pbx_password", derived),
            self._sealed(org_id, "client_key", secrets.client_key),
        )

    def secrets_of(self, trunk: Trunk) -> TrunkSecrets:
        """The passwords of a trunk. Raises ``SecretBoxError``."""
        return TrunkSecrets(
            sip_password=opened(self.box, trunk.org_id, "sip_password", trunk.sip_password_sealed),
            register_password=opened(
                self.box, trunk.org_id, "register_password", trunk.register_password_sealed
            ),
            client_key=opened(self.box, trunk.org_id, "client_key", trunk.client_key_sealed),
        )

    def _sealed(self, org_id: str, purpose: str, secret: str | None) -> bytes | None:
        if secret is None:
            return None
        return self.box.seal(secret.encode(), purpose=purpose, org_id=org_id)


def opened(box: SecretBox, org_id: str, purpose: str, sealed: bytes | None) -> str | None:
    """A sealed secret, if there is one. Raises ``SecretBoxError``."""
    if sealed is None:
        return None
    return box.open(sealed, purpose=purpose, org_id=org_id).decode()


def client_certificate_of(box: SecretBox, trunk: Trunk) -> ClientCertificate | None:
    """What the trunk shows to a peer that asks for a certificate. Raises ``SecretBoxError``."""
    chain = trunk.options.get("client_certificate")
    key = opened(box, trunk.org_id, "client_key", trunk.client_key_sealed)
    return None if chain is None or key is None else ClientCertificate(chain, key)


async def server_key(session: AsyncSession, box: SecretBox, name: _KeyName) -> bytes:
    """A random key of the installation (32 bytes), made when it is first asked for.

    Raises ``SecretBoxError`` when the ring does not hold the key it was sealed with.
    """
    purpose = f"server_key:{name}"
    present = select(col(ServerKey.sealed)).where(col(ServerKey.name) == name)
    sealed = await session.scalar(present)
    if sealed is None:
        made = box.seal(os.urandom(KEY_BYTES), purpose=purpose, org_id=NOBODY)
        # Whoever makes it first, all read the one that is there.
        await session.execute(
            insert(ServerKey).values(name=name, sealed=made).on_conflict_do_nothing()
        )
        sealed = await session.scalar(present)
    if sealed is None:
        raise RuntimeError(f"the server key {name} vanished")
    return box.open(sealed, purpose=purpose, org_id=NOBODY)
