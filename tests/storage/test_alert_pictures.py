"""What a decision about alerts is made of, from the rows that others write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.alert_picture import AlertEndpoint, AlertPicture, CertificateOwner, WatchedTrunk
from domain.failover_route import Route, RouteWindow
from domain.failover_state import AlertKind, StandingAlert
from domain.health_observation import HealthState
from domain.trunk import Direction
from storage import bindings, trunk_routes
from storage.alert_pictures import picture_of_organization
from storage.bindings import NewBinding
from storage.engine import Database
from storage.health_config import ResolvedTarget, write_resolution
from storage.ids import new_id
from tests.storage.alert_rows import MAIL, PHONE, add_alerting_trunk, alerting, name_recipients
from tests.storage.factories import NOON
from tests.storage.failover_trunks import a_route
from tests.storage.health_rows import (
    a_name,
    a_target,
    a_transition,
    add_trunk,
    fences_of,
    place_names,
    rows,
    see,
)
from tests.support.certificates import certified

pytestmark = pytest.mark.postgres

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRST, SECOND, NAME = a_name("192.0.2.1"), a_name("192.0.2.2"), a_name("sip.example.com")


async def picture(database: Database, org_id: str, now: datetime = NOON) -> AlertPicture:
    """The picture, which a tenant's session finds as the system does."""
    async with database.system() as session:
        found = await picture_of_organization(session, org_id, now=now)
    async with database.tenant(org_id) as session:
        assert await picture_of_organization(session, org_id, now=now) == found
    return found


async def only_trunk(database: Database, org_id: str, now: datetime = NOON) -> WatchedTrunk:
    [found] = (await picture(database, org_id, now)).trunks
    return found


async def only_endpoint(database: Database, org_id: str, now: datetime = NOON) -> AlertEndpoint:
    [found] = (await only_trunk(database, org_id, now)).endpoints
    return found


async def resolve(
    database: Database, found: Sequence[ResolvedTarget] | str, now: datetime = NOON
) -> None:
    """Write what a look-up of ``NAME`` gave."""
    fences = await fences_of(database, NAME)
    [(shard, fence)] = fences.items()
    async with database.system() as session:
        await write_resolution(session, shard, fence, NAME.name_id, found, now=now, ttl=MINUTE)


async def publish(database: Database, org_id: str, trunk_id: str, **changes: Any) -> None:
    route: Route = a_route("192.0.2.1", "192.0.2.2", **changes)
    async with database.tenant(org_id) as session:
        document = route.model_dump(mode="json")
        await trunk_routes.publish(session, org_id, trunk_id, 1, document, now=NOON)


async def test_an_organization_without_trunks_is_empty(database: Database, org_id: str) -> None:
    found = await picture(database, org_id)
    assert (found.trunks, found.failing) == ((), ())
    assert (found.recipients.emails, found.recipients.webhooks) == (0, 0)


async def test_trunks_whose_alerts_are_on_are_seen_with_their_numbers_and_no_other(
    database: Database, org_id: str, other_org_id: str
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id, unreachable_minutes=0.1)
    await add_trunk(database, org_id)
    await add_trunk(database, org_id, alerts=alerting() | {"enabled": False})
    await add_alerting_trunk(database, other_org_id)
    both = [(number, way) for number in ("+14155550100", "+14155550101") for way in Direction]
    async with database.tenant(org_id) as session:
        await bindings.add(
            session,
            [
                NewBinding(
                    id=new_id("cfg"),
                    org_id=org_id,
                    phone_number=number,
                    direction=way,
                    trunk_id=trunk_id,
                    priority=0,
                )
                for number, way in both
            ],
        )
    found = await only_trunk(database, org_id)
    assert (found.trunk_id, found.name, found.numbers) == (trunk_id, "Acme", 2)
    assert found.alerts.thresholds.unreachable_minutes == 0.1
    assert (found.endpoints, found.windows, found.by_hand) == ((), (), False)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": None, "sip_endpoint": "sip:192.0.2.1"}, "sip:192.0.2.1"),
        ({"name": None}, None),
    ],
)
async def test_a_trunk_without_a_name_is_named_by_what_it_has(
    database: Database, org_id: str, fields: dict[str, Any], name: str | None
) -> None:
    trunk_id = await add_trunk(database, org_id, alerts=alerting(), **fields)
    assert (await only_trunk(database, org_id)).name == (name or trunk_id)


async def test_endpoints_stand_as_their_targets_do_by_the_trunks_own_rule(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, FIRST, SECOND)
    down = a_transition(
        a_target("192.0.2.1").target_id, HealthState.DOWN, reason="3 of 3 probes unanswered"
    )
    await see(database, FIRST, down)
    first, second = (await only_trunk(database, org_id)).endpoints
    assert (first.position, first.label, first.host) == (0, "192.0.2.1", "192.0.2.1")
    assert (first.name_id, second.position) == (FIRST.name_id, 1)
    [target] = first.targets
    assert (target.address, target.port, target.transport.value) == ("192.0.2.1", 5060, "udp")
    assert (target.state, target.since) == (HealthState.DOWN, NOON)
    assert target.reason == "3 of 3 probes unanswered"
    [unseen] = second.targets
    assert (unseen.state, unseen.since, unseen.reason) == (HealthState.UNCHECKED, None, "")


async def test_a_name_is_one_endpoint_with_all_its_targets_in_order(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, NAME)
    there = [
        ResolvedTarget(a_target(f"192.0.2.{n}", NAME.host), priority=9 - n) for n in range(1, 4)
    ]
    await resolve(database, there)
    endpoint = await only_endpoint(database, org_id)
    addresses = [each.address for each in endpoint.targets]
    assert addresses == ["192.0.2.3", "192.0.2.2", "192.0.2.1"]
    assert (endpoint.error, endpoint.error_since) == (None, None)


async def test_a_name_is_in_error_since_the_first_of_its_errors_whatever_their_words(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, NAME)
    for minutes, error in enumerate(("SERVFAIL", "timeout", "timeout", "SERVFAIL")):
        await resolve(database, error, NOON + minutes * MINUTE)
    endpoint = await only_endpoint(database, org_id)
    assert (endpoint.targets, endpoint.error) == ((), "SERVFAIL")
    assert endpoint.error_since == NOON


async def test_errors_before_a_name_led_somewhere_do_not_count(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, NAME)
    await resolve(database, "SERVFAIL")
    await resolve(database, [ResolvedTarget(a_target("192.0.2.1", NAME.host))], NOON + MINUTE)
    await resolve(database, "timeout", NOON + 2 * MINUTE)
    endpoint = await only_endpoint(database, org_id)
    assert (endpoint.error, endpoint.error_since) == ("timeout", NOON + 2 * MINUTE)
    assert len(endpoint.targets) == 1


async def test_an_error_whose_beginning_is_forgotten_began_with_the_trunk(
    database: Database, org_id: str
) -> None:
    made = NOON - 40 * 24 * HOUR
    trunk_id = await add_trunk(database, org_id, alerts=alerting(), created_at=made)
    await place_names(database, org_id, trunk_id, NAME)
    await resolve(database, "SERVFAIL", made + MINUTE)
    await rows(database, "DELETE FROM name_changes RETURNING 1")
    assert (await only_endpoint(database, org_id)).error_since == made


async def test_windows_and_flapping_come_from_the_trunks_route(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, FIRST, SECOND)
    ends = NOON + HOUR
    await publish(
        database,
        org_id,
        trunk_id,
        maintenance=tuple(
            RouteWindow(window_id=f"mwn_{place}", position=place, starts_at=NOON, ends_at=ends)
            for place in (None, 1, 7)
        ),
        alerts=(StandingAlert(kind=AlertKind.FLAPPING, since=NOON),),
    )
    found = await only_trunk(database, org_id)
    # The endpoint of the last window is none of the trunk's any more.
    assert [(each.window_id, each.name_id) for each in found.windows] == [
        ("mwn_None", None),
        ("mwn_1", SECOND.name_id),
    ]
    assert {(each.starts_at, each.ends_at) for each in found.windows} == {(NOON, ends)}
    assert found.by_hand


async def test_what_else_a_route_tells_is_no_flapping(database: Database, org_id: str) -> None:
    trunk_id = await add_alerting_trunk(database, org_id)
    alert = StandingAlert(kind=AlertKind.NO_HEALTHY_ENDPOINT, since=NOON)
    await publish(database, org_id, trunk_id, alerts=(alert,))
    assert not (await only_trunk(database, org_id)).by_hand


async def test_our_own_certificate_is_seen_and_one_that_cannot_be_read_is_not(
    database: Database, org_id: str
) -> None:
    ends = NOON + 7 * 24 * HOUR
    leaf, authority = certified(NOON, ends), certified(NOON, ends + HOUR, "authority.example")
    pem = f"{leaf.chain_pem}{authority.chain_pem}"
    ours = await add_trunk(database, org_id, alerts=alerting(), options={"client_certificate": pem})
    await add_trunk(
        database, org_id, alerts=alerting(), options={"client_certificate": "no certificate"}
    )
    found = {each.trunk_id: each.certificates for each in (await picture(database, org_id)).trunks}
    [certificate] = found.pop(ours)
    assert list(found.values()) == [()]
    assert certificate.owner is CertificateOwner.CLIENT
    assert (certificate.subject, certificate.expires_at) == ("CN=client.example", ends)
    assert len(certificate.fingerprint) == 64


async def test_recipients_are_counted(database: Database, org_id: str) -> None:
    hooks = [
        {"id": "whk_1", "url": "https://hook.example"},
        {"id": "whk_2", "url": "https://b.example"},
    ]
    await name_recipients(
        database, org_id, emails=[MAIL], phones=[PHONE, "+14155550101"], webhooks=hooks
    )
    there = (await picture(database, org_id)).recipients
    assert (there.emails, there.phones, there.webhooks) == (1, 2, 2)


async def test_eighty_trunks_over_one_carrier_are_one_picture(
    database: Database, org_id: str
) -> None:
    trunk_ids = [await add_alerting_trunk(database, org_id) for _ in range(80)]
    for each in trunk_ids:
        await place_names(database, org_id, each, FIRST, SECOND)
    found = await picture(database, org_id)
    assert {each.trunk_id for each in found.trunks} == set(trunk_ids)
    assert {len(each.endpoints) for each in found.trunks} == {2}
