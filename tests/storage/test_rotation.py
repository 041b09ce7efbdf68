"""Older keys give way to the current one, beside others who write the same rows."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text, update
from sqlmodel import col

from domain.trunk import TrunkDirection, TrunkProfile, TrunkSecrets
from storage import trunks
from storage.engine import Database
from storage.rotation import UNREADABLE, Batch, rotate, survey
from storage.sealed_columns import SEALED_COLUMNS
from storage.secret_box import SealBroken, SecretBox, UnknownKey, generate_key, key_id_of
from storage.tables import IdempotencyKey, Organization
from storage.trunk_vault import TrunkVault
from tests.storage.sealed_rows import (
    AFTER,
    ANSWER,
    BEFORE,
    DURING,
    NEW,
    OLD,
    add_answers,
    answer_of,
    answers,
    key_ids,
    until_resealed,
)
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

ANSWERS = next(each for each in SEALED_COLUMNS if str(each) == "idempotency_keys.response_sealed")


async def test_nothing_of_a_row_changes_but_its_seal(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, BEFORE)
        secrets = TrunkSecrets(sip_password="a")
        profile = TrunkProfile(direction=TrunkDirection.OUTBOUND, sip_endpoint="sip:example.com")
        trunk = await trunks.create(session, vault, org_id, profile, secrets, name="kept")

    async def row() -> dict[str, Any]:
        async with database.tenant(org_id) as session:
            found = await session.execute(
                text("SELECT * FROM trunks WHERE id = :id"), {"id": trunk.id}
            )
            return dict(found.mappings().one())

    before = await row()
    await rotate(database, DURING)
    after = await row()
    assert {name for name, value in after.items() if value != before[name]} == {
        "sip_password_sealed"
    }


@pytest.mark.parametrize("size", [1, 2, 6, 7, 100])
async def test_every_row_is_met_whatever_the_batches(
    database: Database, org_id: str, other_org_id: str, size: int
) -> None:
    for owner in (org_id, other_org_id):
        await add_answers(database, owner, BEFORE, 3)
    async with database.system() as session:
        # A request that still runs has no answer.
        await session.execute(
            update(IdempotencyKey)
            .where(col(IdempotencyKey.key) == "request-000001")
            .values(response_sealed=None)
        )
    batches: list[int] = []
    resealed = await rotate(
        database,
        DURING,
        size=size,
        columns=(ANSWERS,),
        on_batch=lambda batch: batches.append(batch.resealed),
    )
    assert resealed == sum(batches) == 4
    assert max(batches) <= size
    assert len(batches) == 6 // size + 1
    for owner in (org_id, other_org_id):
        kept = await answers(database, owner)
        assert [
            AFTER.open(kept[key], purpose=ANSWER, org_id=owner)
            for key in ("request-000000", "request-000002")
        ] == [answer_of("request-000000"), answer_of("request-000002")]


async def test_what_is_current_is_left_as_it_is(database: Database, org_id: str) -> None:
    await add_answers(database, org_id, AFTER, 3)
    before = await answers(database, org_id)
    assert await rotate(database, DURING) == 0
    assert await answers(database, org_id) == before


async def test_a_rotation_that_was_cut_off_is_resumed(database: Database, org_id: str) -> None:
    await add_answers(database, org_id, BEFORE, 9)

    class Cut(Exception):
        pass

    def cut(batch: Batch) -> None:
        if batch.column is ANSWERS and batch.last is not None and batch.last[1] >= "request-000003":
            raise Cut

    with pytest.raises(Cut):
        await rotate(database, DURING, size=2, on_batch=cut)
    assert await key_ids(database, org_id) == ["2026"] * 4 + ["2025"] * 5
    assert await rotate(database, DURING, size=2) == 5
    assert await key_ids(database, org_id) == ["2026"] * 9


async def test_two_rotations_at_once_share_the_work(database: Database, org_id: str) -> None:
    await add_answers(database, org_id, BEFORE, 60)
    done = await asyncio.gather(*(rotate(database, DURING, size=4) for _ in range(2)))
    assert sum(done) == 60
    assert await key_ids(database, org_id) == ["2026"] * 60


async def test_a_row_that_somebody_holds_is_not_waited_for_and_comes_last(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    keys = await add_answers(database, org_id, BEFORE, 5)
    async with await psycopg.AsyncConnection.connect(database_urls.admin_url) as holder:
        await holder.execute("SELECT FROM idempotency_keys WHERE key = %s FOR UPDATE", [keys[1]])
        running = asyncio.create_task(rotate(database, DURING))
        await until_resealed(database, org_id, 4)
        assert await key_ids(database, org_id) == ["2026", "2025", "2026", "2026", "2026"]
        assert not running.done()
        # What the holder writes last stands, with whatever key it seals.
        sealed = BEFORE.seal(b"changed", purpose=ANSWER, org_id=org_id)
        await holder.execute(
            "UPDATE idempotency_keys SET response_sealed = %s WHERE key = %s", [sealed, keys[1]]
        )
    assert await running == 5
    kept = await answers(database, org_id)
    assert AFTER.open(kept[keys[1]], purpose=ANSWER, org_id=org_id) == b"changed"


async def test_a_row_that_is_never_let_go_is_left_and_counted(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    keys = await add_answers(database, org_id, BEFORE, 2)
    async with await psycopg.AsyncConnection.connect(database_urls.admin_url) as holder:
        await holder.execute("SELECT FROM idempotency_keys WHERE key = %s FOR UPDATE", [keys[0]])
        assert await rotate(database, DURING, patience=timedelta(0)) == 1
        tally = await survey(database, DURING)
    assert tally.found[ANSWERS] == Counter({"2025": 1, "2026": 1})


async def test_what_others_write_meanwhile_is_never_lost(database: Database, org_id: str) -> None:
    keys = await add_answers(database, org_id, BEFORE, 40)
    written = {key: answer_of(key) for key in keys}
    over = asyncio.Event()

    async def write(mine: list[str], box: SecretBox) -> int:
        """Replace the answers of ``mine`` over and over, as a process with this ring does."""
        rounds = 0
        while not over.is_set():
            for key in mine:
                secret = os.urandom(8)
                async with database.tenant(org_id) as session:
                    await session.execute(
                        update(IdempotencyKey)
                        .where(col(IdempotencyKey.key) == key)
                        .values(response_sealed=box.seal(secret, purpose=ANSWER, org_id=org_id))
                    )
                written[key] = secret
            rounds += 1
        return rounds

    late = SecretBox.from_key_ring(f"{OLD},{NEW}")
    writers = [
        asyncio.create_task(write(keys[start::3], box)) for start, box in ((0, late), (1, DURING))
    ]
    resealed = [await rotate(database, DURING, size=3) for _ in range(8)]
    over.set()
    assert min(await asyncio.gather(*writers)) > 0
    assert sum(resealed[1:]) > 0, "nobody wrote with the old key in between"
    await rotate(database, DURING)
    kept = await answers(database, org_id)
    opened = {key: AFTER.open(kept[key], purpose=ANSWER, org_id=org_id) for key in keys}
    assert opened == written


async def test_what_does_not_open_is_named_and_left_as_it_is(
    database: Database, org_id: str, other_org_id: str
) -> None:
    await add_answers(database, org_id, BEFORE, 5)
    lost = SecretBox.from_key_ring(generate_key("lost"))
    good = BEFORE.seal(b"secret", purpose=ANSWER, org_id=org_id)
    broken = {
        "request-000000": lost.seal(b"secret", purpose=ANSWER, org_id=org_id),
        "request-000001": good[:-1] + bytes([good[-1] ^ 1]),
        "request-000002": b"secret, never sealed",
        "request-000003": BEFORE.seal(b"secret", purpose=ANSWER, org_id=other_org_id),
    }
    async with database.tenant(org_id) as session:
        for key, token in broken.items():
            await session.execute(
                update(IdempotencyKey)
                .where(col(IdempotencyKey.key) == key)
                .values(response_sealed=token)
            )
    assert await rotate(database, DURING, size=2) == 1
    tally = await survey(database, DURING)

    kept = await answers(database, org_id)
    assert {key: kept[key] for key in broken} == broken
    assert AFTER.open(kept["request-000004"], purpose=ANSWER, org_id=org_id)
    assert tally.found[ANSWERS] == Counter({"2025": 2, "2026": 1, "lost": 1, UNREADABLE: 1})
    assert [(each.column, each.key) for each in tally.unopened] == [
        (ANSWERS, (org_id, key)) for key in broken
    ]
    told = [str(each) for each in tally.unopened]
    assert told[0].startswith(f"idempotency_keys.response_sealed of {org_id}/request-000000: ")
    assert "'lost'" in told[0]
    assert not any("secret" in each for each in told)


async def test_counting_writes_nothing(database: Database, org_id: str) -> None:
    await add_answers(database, org_id, BEFORE, 3)
    before = await answers(database, org_id)
    tally = await survey(database, DURING, size=2)
    assert tally.found[ANSWERS] == Counter({"2025": 3})
    assert (tally.resealed, tally.unopened) == (0, [])
    assert await answers(database, org_id) == before


async def test_a_row_that_others_refer_to_is_not_held_by_them(
    database: Database, org_id: str
) -> None:
    async with database.tenant(org_id) as session:
        sealed = BEFORE.seal(b"whsec_", purpose="signing_secret", org_id=org_id)
        await session.execute(update(Organization).values(signing_secret_sealed=sealed))
    async with database.tenant(org_id) as session:
        # What the foreign key of a new row takes, until its transaction ends.
        await session.execute(
            text("SELECT FROM organizations WHERE id = :id FOR KEY SHARE"), {"id": org_id}
        )
        assert await rotate(database, DURING, patience=timedelta(0)) == 1


def test_the_key_of_a_token_is_read_without_opening_it() -> None:
    token = BEFORE.seal(b"x", purpose=ANSWER, org_id="org")
    assert key_id_of(token) == "2025"
    assert DURING.key_ids == ("2026", "2025")
    with pytest.raises(UnknownKey):
        AFTER.open(token, purpose=ANSWER, org_id="org")
    with pytest.raises(SealBroken):
        DURING.open(token, purpose=ANSWER, org_id="another")
