"""What the prober is told about a target, its organization's own TLS settings among it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.health_jobs import jobs_of
from domain.probe_target import NameIdentity, ProbeProfile, shard_of, tls_difference
from domain.trunk import TrunkOptions, TrunkSecrets
from sip.net.health_prober import ProbeJob
from sip.transports import Transport
from storage.engine import Database
from storage.health_config import LoadedTarget, load_shards
from storage.secret_box import SecretBox, generate_key
from tests.activities.health_stage import a_trunk, name_of, place_trunk, rows, target_of
from tests.storage.factories import NOON, add_organization
from tests.support.certificates import certified

pytestmark = pytest.mark.postgres

CLIENT = certified(NOON, NOON + timedelta(days=30))
AUTHORITY = certified(NOON, NOON + timedelta(days=30), "An authority").chain_pem
OPTIONS = TrunkOptions(
    ca_pem=AUTHORITY,
    certificate_pin="ab" * 32,
    client_certificate=CLIENT.chain_pem,
    exact_tls_names=True,
)


@pytest.fixture(scope="module")
def box() -> SecretBox:
    return SecretBox.from_key_ring(generate_key("a"))


async def loaded(database: Database, name: NameIdentity) -> list[LoadedTarget]:
    async with database.system() as session:
        return list((await load_shards(session, [shard_of(name.name_id)])).targets)


async def job_of(database: Database, box: SecretBox, name: NameIdentity) -> ProbeJob | None:
    found = await jobs_of(await loaded(database, name), database, box, ca_file="/authorities.pem")
    return found.get(target_of(name))


def own_name(org_id: str) -> NameIdentity:
    """An endpoint whose connection uses what belongs to the organization."""
    tls = tls_difference(
        exact_names=True,
        ca_pem=OPTIONS.ca_pem,
        pin=OPTIONS.certificate_pin,
        client_chain=OPTIONS.client_certificate,
    )
    profile = ProbeProfile("sip.example.com", tls=tls, org_id=org_id)
    return NameIdentity("192.0.2.1", 5061, Transport.TLS, profile)


async def test_a_shared_target_is_asked_as_everybody_asks(
    database: Database, box: SecretBox
) -> None:
    profile = ProbeProfile("sip.example.com", from_uri="sip:us@example.com")
    name = name_of("192.0.2.1", profile=profile)
    await place_trunk(database, await a_trunk(database, box), name)
    assert await job_of(database, box, name) == ProbeJob(
        key=target_of(name),
        address="192.0.2.1",
        port=5060,
        transport=Transport.UDP,
        domain="sip.example.com",
        from_uri="sip:us@example.com",
    )


async def test_exact_names_need_nobodys_secrets(database: Database, box: SecretBox) -> None:
    profile = ProbeProfile("sip.example.com", tls=tls_difference(exact_names=True))
    name = NameIdentity("192.0.2.1", 5061, Transport.TLS, profile)
    await place_trunk(database, await a_trunk(database, box), name)
    job = await job_of(database, box, name)
    assert job is not None
    assert (job.exact_tls_names, job.tls) == (True, None)


async def test_an_organizations_own_settings_go_into_its_own_target(
    database: Database, box: SecretBox
) -> None:
    org_id = await add_organization(database)
    name = own_name(org_id)
    secrets = TrunkSecrets(client_key=CLIENT.key_pem)
    await place_trunk(database, await a_trunk(database, box, OPTIONS, secrets, org_id), name)
    job = await job_of(database, box, name)
    assert job is not None
    assert job.tls is not None
    assert job.tls.client is not None
    assert (job.tls.server_name, job.tls.ca_file) == ("sip.example.com", "/authorities.pem")
    assert (job.tls.ca_pem, job.tls.pin) == (AUTHORITY, "ab" * 32)
    assert (job.tls.client.chain_pem, job.tls.client.key_pem) == (
        CLIENT.chain_pem,
        CLIENT.key_pem,
    )
    assert job.exact_tls_names


async def test_what_cannot_be_opened_is_not_asked_in_another_way(
    database: Database, box: SecretBox
) -> None:
    org_id = await add_organization(database)
    name = own_name(org_id)
    secrets = TrunkSecrets(client_key=CLIENT.key_pem)
    await place_trunk(database, await a_trunk(database, box, OPTIONS, secrets, org_id), name)
    stranger = SecretBox.from_key_ring(generate_key("b"))
    assert await job_of(database, stranger, name) is None
    assert len(await rows(database, "SELECT FROM health_targets")) == 1
