"""Certificates that expire while they are stored: refused on entry, never in the way afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands.state_file import as_yaml, read_yaml
from domain.trunk import Direction, TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from settings import Settings
from storage import bindings, trunks
from storage.bindings import NewBinding
from storage.engine import Database
from storage.ids import new_id
from storage.trunk_vault import TrunkVault
from tests.api.configured import OUTBOUND, box_of, configuration, post
from tests.api.states import document, error, put
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create, get, patch
from tests.support.certificates import Certified, certified

NUMBER = "+14150000001"
NOW = datetime.now(UTC).replace(microsecond=0)
ENDED = NOW - timedelta(days=1)


def expired() -> Certified:
    return certified(NOW - timedelta(days=9), ENDED)


@pytest.fixture(scope="module")
def client_pair() -> Certified:
    return expired()


@pytest.fixture(scope="module")
def authority() -> Certified:
    return expired()


@pytest.fixture
async def trunk_id(
    database: Database,
    settings: Settings,
    tenant: Tenant,
    client_pair: Certified,
    authority: Certified,
) -> str:
    """A named trunk, and a number of its own settings, whose certificates have expired since."""
    secrets = TrunkSecrets(client_key=client_pair.key_pem)
    profile = TrunkProfile(
        direction=TrunkDirection.OUTBOUND,
        sip_endpoint="sip:trunk.acme.example",
        options=TrunkOptions(
            client_certificate=client_pair.chain_pem, ca_pem=authority.chain_pem, port=5061
        ),
    )
    async with database.tenant(tenant.org_id) as session:
        vault = await TrunkVault.opened(session, box_of(settings))
        made = await trunks.create(
            session, vault, tenant.org_id, profile, secrets, name="Acme", provider="custom"
        )
        own = await trunks.create(session, vault, tenant.org_id, profile, secrets)
        binding = NewBinding(
            id=new_id("cfg"),
            org_id=tenant.org_id,
            phone_number=NUMBER,
            direction=Direction.OUTBOUND,
            trunk_id=own.id,
            priority=0,
        )
        await bindings.add(session, [binding])
    return made.id


async def test_what_was_exported_is_applied_without_a_change_also_by_way_of_a_file(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str, tmp_path: Path
) -> None:
    body = await document(client, tenant)
    file = tmp_path / "state.yaml"
    file.write_text(as_yaml(body))

    for each in (body, read_yaml(file)):
        answer = await put(client, tenant, each)
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["changes"] == []


async def test_other_settings_change_by_a_document_while_the_certificates_stay(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str
) -> None:
    body = await document(client, tenant)
    body["trunks"][0]["options"]["port"] = 5071
    body["numbers"][0]["outbound"][0]["options"]["port"] = 5072
    # The end of a line that an editor took away makes no other certificate.
    pem = body["trunks"][0]["options"]["ca_pem"]
    body["trunks"][0]["options"]["ca_pem"] = pem.rstrip()

    answer = await put(client, tenant, body)

    assert answer.status_code == 200, answer.text
    assert (await get(client, tenant, trunk_id))["options"]["port"] == 5071
    assert (await configuration(client, tenant, NUMBER))["outbound"]["options"]["port"] == 5072


async def test_a_trunk_and_a_number_are_changed_although_all_their_options_come_back(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str
) -> None:
    shown = (await get(client, tenant, trunk_id))["options"]
    number = (await configuration(client, tenant, NUMBER))["outbound"]["options"]

    of_trunk = await patch(client, tenant, trunk_id, options={**shown, "port": 5071})
    of_number = await post(
        client,
        tenant,
        "update",
        phone_number=NUMBER,
        updates={"type": "outbound", "options": {**number, "port": 5072}},
    )

    for answer, found in (
        (of_trunk, of_trunk.json()["data"]),
        (of_number, of_number.json()["data"]["outbound"]),
    ):
        assert answer.status_code == 200, answer.text
        for name in ("client_expires_at", "ca_expires_at"):
            assert datetime.fromisoformat(found["certificates"][name]) == ENDED


@pytest.mark.parametrize("name", ["client_certificate", "ca_pem"])
async def test_an_expired_certificate_is_refused_wherever_it_is_new(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str, name: str
) -> None:
    other = expired()
    options: dict[str, Any] = {name: other.chain_pem}
    if name == "client_certificate":
        options["client_key"] = other.key_pem
    body = await document(client, tenant)
    own = body["trunks"][0]["options"]
    body["trunks"][0]["options"] = {**own, **options}
    named = {"name": "New", "direction": "outbound", "options": options}
    attach = {
        "phone_numbers": ["+14150000009"],
        "service": "sip",
        "directions": [{**OUTBOUND, "options": options}],
    }

    for answer, place in (
        (await put(client, tenant, body), "trunks.0."),
        (await patch(client, tenant, trunk_id, options=options), ""),
        (await post(client, tenant, "trunks", **named), ""),
        (
            await post(client, tenant, "attach", **attach),
            "directions.0.",
        ),
        (
            await post(
                client,
                tenant,
                "update",
                phone_number=NUMBER,
                updates={"type": "outbound", "options": options},
            ),
            "updates.",
        ),
    ):
        assert error(answer) == (400, "INVALID_REQUEST", f"{place}options.{name}"), answer.text
        assert "expired" in answer.json()["errors"][0]["message"]
    assert (await document(client, tenant))["trunks"][0]["options"] == own


async def test_an_expired_certificate_of_another_trunk_is_new_to_this_one(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str, client_pair: Certified
) -> None:
    other = await create(client, tenant)
    pair = {"client_certificate": client_pair.chain_pem, "client_key": client_pair.key_pem}

    answer = await patch(client, tenant, other["trunk_id"], options=pair)

    assert error(answer) == (400, "INVALID_REQUEST", "options.client_certificate")


async def test_a_bundle_with_one_authority_that_is_valid_is_taken(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str
) -> None:
    valid = certified(NOW - timedelta(days=1), NOW + timedelta(days=1))
    bundle = expired().chain_pem + valid.chain_pem

    answer = await patch(client, tenant, trunk_id, options={"ca_pem": bundle})

    assert answer.status_code == 200, answer.text
