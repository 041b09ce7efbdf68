"""The settings of a trunk as a document writes them, read."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.state import CarrierInput, TrunkInput
from api.services.connections import Connection, made
from api.services.state_passwords import Kept, unmarked
from api.services.state_present import Present
from api.services.stored_headers import stored_headers
from api.services.trunk_config import with_config
from domain.trunk import TrunkDirection
from settings import Network

__all__ = ["ConnectionReader"]


class ConnectionReader:
    """Reads connections; ``registrations`` are the users and passwords of those that came with one."""

    def __init__(
        self,
        session: AsyncSession,
        org_id: str,
        present: Present,
        allowed_networks: tuple[Network, ...],
    ) -> None:
        self.registrations: set[tuple[str, str]] = set()
        self._session = session
        self._present = present
        self._org_id = org_id
        self._allowed_networks = allowed_networks

    async def read(
        self, given: TrunkInput | CarrierInput, direction: TrunkDirection
    ) -> tuple[Connection, Kept]:
        """The connection, and which of its passwords are still to be put in.

        Raises ``InvalidRequest``.
        """
        fields, kept = unmarked(given)
        described = made(
            fields,
            direction,
            stored_headers(given.headers, direction),
            known=self._present.certificates,
        )
        connection = await with_config(
            self._session,
            self._org_id,
            described,
            given,
            allowed_networks=self._allowed_networks,
        )
        username, password = (
            connection.profile.register_username,
            described.secrets.register_password,
        )
        if username is not None and password:
            self.registrations.add((username, password))
        return connection, kept
