"""Organizations with a key of each role, for the API's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage import api_keys, organizations
from storage.engine import Database
from storage.ids import new_id
from storage.tables import Role

__all__ = ["Tenant", "make_tenant"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization and the keys of its people."""

    org_id: str
    keys: dict[Role, str]
    key_ids: dict[Role, str]

    def as_(self, role: Role, **headers: str) -> dict[str, str]:
        """Headers of a request by a person with this role."""
        return {"Authorization": f"Bearer {self.keys[role]}", **headers}

    @property
    def viewer(self) -> dict[str, str]:
        return self.as_(Role.VIEWER)

    @property
    def editor(self) -> dict[str, str]:
        return self.as_(Role.EDITOR)

    @property
    def operator(self) -> dict[str, str]:
        return self.as_(Role.OPERATOR)


async def make_tenant(
    database: Database, name: str = "Example", *, entitlements: Sequence[str] = ("SIP",)
) -> Tenant:
    """A new organization with a viewer's, an editor's and an operator's key."""
    org_id = new_id("org")
    async with database.system() as session:
        new = organizations.NewOrganization(
            id=org_id, name=name, region="us", entitlements=entitlements
        )
        await organizations.create(session, new)
        made = {
            role: await api_keys.create(session, org_id, name=role.value, role=role)
            for role in Role
        }
    return Tenant(
        org_id,
        {role: each.secret for role, each in made.items()},
        {role: each.key.id for role, each in made.items()},
    )
