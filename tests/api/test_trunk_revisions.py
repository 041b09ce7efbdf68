"""``If-Match`` on trunks: an update that would overwrite somebody else's is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import InvalidRequest, PreconditionFailed
from api.services.trunk_revisions import etag_of, must_match, precondition
from storage.engine import Database
from storage.trunks import adopt
from tests.api.configured import attached
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create, get, patch


async def patch_if(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str, tag: str, **changes: Any
) -> httpx.Response:
    return await client.patch(
        f"/v1/sip/trunks/{trunk_id}", json=changes, headers={**tenant.editor, "If-Match": tag}
    )


async def test_every_answer_about_one_trunk_has_its_tag(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    draft = {"name": "Acme", "direction": "both", "sip_endpoint": "a.example"}
    made = await client.post("/v1/sip/trunks", json=draft, headers=tenant.editor)
    trunk_id = made.json()["data"]["trunk_id"]
    assert (made.headers["ETag"], made.json()["data"]["revision"]) == ('"1"', 1)

    changed = await patch(client, tenant, trunk_id, name="Acme 2")
    assert (changed.headers["ETag"], changed.json()["data"]["revision"]) == ('"2"', 2)
    # What is bound to a trunk is part of what is shown of it.
    await attached(client, tenant, "2001", directions=[{"type": "inbound"}], trunk_id=trunk_id)
    shown = await client.get(f"/v1/sip/trunks/{trunk_id}", headers=tenant.viewer)
    assert (shown.headers["ETag"], shown.json()["data"]["revision"]) == ('"3"', 3)
    assert shown.json()["data"]["adopted_revision"] == 0
    async with database.tenant(tenant.org_id) as session:
        await adopt(session, tenant.org_id, trunk_id, 2)
    shown = await client.get(f"/v1/sip/trunks/{trunk_id}", headers=tenant.viewer)
    assert (shown.headers["ETag"], shown.json()["data"]["adopted_revision"]) == ('"3"', 2)
    unchanged = await patch(client, tenant, trunk_id, name="Acme 2")
    assert unchanged.headers["ETag"] == '"3"'


async def test_a_stale_tag_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk = await create(client, tenant)
    trunk_id = trunk["trunk_id"]
    await patch(client, tenant, trunk_id, provider="first")
    before = await get(client, tenant, trunk_id)

    for tag in ('"1"', 'W/"2"', '"1", "3"', '""'):
        stale = await patch_if(client, tenant, trunk_id, tag, provider="second")
        assert stale.status_code == 412
        assert stale.json()["errors"][0]["error"] == "PRECONDITION_FAILED"
        assert stale.headers["ETag"] == '"2"'
        gone = await client.delete(
            f"/v1/sip/trunks/{trunk_id}", headers={**tenant.editor, "If-Match": tag}
        )
        assert gone.status_code == 412
    assert await get(client, tenant, trunk_id) == before

    for tag in ('"2"', '"1", "3"', "*"):
        fresh = await patch_if(client, tenant, trunk_id, tag, provider=tag)
        assert fresh.status_code == 200, fresh.text
    # A change that changes nothing is refused all the same: the caller has not seen what is there.
    assert (await patch_if(client, tenant, trunk_id, '"1"')).status_code == 412
    last = await client.delete(
        f"/v1/sip/trunks/{trunk_id}", headers={**tenant.editor, "If-Match": '"5"'}
    )
    assert last.status_code == 200
    assert (await patch_if(client, tenant, trunk_id, "*", name="x")).status_code == 404


async def test_a_refused_update_is_judged_anew_with_its_key_and_a_newer_tag(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk_id = (await create(client, tenant))["trunk_id"]
    await patch(client, tenant, trunk_id, provider="first")

    async def second(tag: str) -> httpx.Response:
        headers = {**tenant.editor, "If-Match": tag, "Idempotency-Key": "update-1"}
        return await client.patch(
            f"/v1/sip/trunks/{trunk_id}", json={"provider": "second"}, headers=headers
        )

    assert [(await second('"1"')).status_code for _ in range(2)] == [412, 412]
    fresh = await second('"2"')
    assert (fresh.status_code, fresh.headers["ETag"]) == (200, '"3"')
    assert "Idempotent-Replayed" not in fresh.headers
    # Done once: the key answers for that, under either tag.
    for tag in ('"2"', '"3"'):
        again = await second(tag)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.content == fresh.content
    assert (await get(client, tenant, trunk_id))["revision"] == 3


@pytest.mark.parametrize("tag", ["3", '"3', "* , *", '"a" "b"', '"a\tb"', ""])
async def test_a_malformed_tag_is_named(
    client: httpx.AsyncClient, tenant: Tenant, tag: str
) -> None:
    trunk = await create(client, tenant)

    answer = await patch_if(client, tenant, trunk["trunk_id"], tag, name="x")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "If-Match"


async def test_of_updates_made_for_the_same_revision_one_wins(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk = await create(client, tenant)
    trunk_id = trunk["trunk_id"]

    answers = await asyncio.gather(
        *(patch_if(client, tenant, trunk_id, '"1"', provider=f"p{each}") for each in range(8))
    )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [412] * 7
    (won,) = [answer for answer in answers if answer.status_code == 200]
    after = await get(client, tenant, trunk_id)
    assert (after["provider"], after["revision"]) == (won.json()["data"]["provider"], 2)


async def test_updates_of_different_fields_at_once_are_both_there(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk = await create(client, tenant)
    trunk_id = trunk["trunk_id"]

    answers = await asyncio.gather(
        patch(client, tenant, trunk_id, options={"port": 5099}),
        patch(client, tenant, trunk_id, options={"transport": "tcp"}),
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.headers["ETag"] for answer in answers} == {'"2"', '"3"'}
    after = await get(client, tenant, trunk_id)
    assert (after["options"]["port"], after["options"]["transport"]) == (5099, "tcp")


@given(st.text(max_size=40))
def test_any_header_is_read_or_refused(text: str) -> None:
    revision = 7
    try:
        wanted = precondition(text)
        must_match(wanted, revision)
    except (InvalidRequest, PreconditionFailed):
        return
    assert wanted is not None
    assert wanted.tags is None or etag_of(7) in wanted.tags


@given(st.lists(st.integers(0, 99), min_size=1, max_size=5), st.integers(0, 99))
def test_a_list_of_tags_matches_each_of_them(tags: list[int], revision: int) -> None:
    wanted = precondition(" , ".join(map(etag_of, tags)))

    if revision in tags:
        must_match(wanted, revision)
    else:
        with pytest.raises(PreconditionFailed):
            must_match(wanted, revision)
