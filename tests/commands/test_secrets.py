"""``trunkline secrets rotate`` as an operator runs it: killed, started again, beside running processes."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col
from typer.testing import CliRunner, Result

from settings import get_settings
from storage.engine import Database
from storage.secret_box import SecretBox, generate_key
from storage.tables import IdempotencyKey
from tests.storage.factories import add_organization
from tests.storage.sealed_rows import (
    AFTER,
    ANSWER,
    BEFORE,
    NEW,
    OLD,
    add_answers,
    answer_of,
    answers,
    key_ids,
    until_resealed,
)
from tests.support.postgres import TestDatabase
from tests.support.programs import inherited_environment
from trunkline import application

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def environment(database_urls: TestDatabase) -> dict[str, str | None]:
    return {
        "TRUNKLINE_DATABASE_URL": database_urls.app_url,
        "TRUNKLINE_SECRET_KEYS": f"{NEW},{OLD}",
    }


@pytest.fixture
def run(environment: dict[str, str | None]) -> Run:
    """Runs the command in a thread, because it brings its own event loop."""

    async def invoke(*arguments: str) -> Result:
        get_settings.cache_clear()
        try:
            runner = CliRunner(env=environment)
            command = ("secrets", "rotate", *arguments)
            return await asyncio.to_thread(runner.invoke, application(("secrets",)), command)
        finally:
            get_settings.cache_clear()

    return invoke


@pytest.fixture
async def org_id(database: Database) -> str:
    return await add_organization(database)


def counted(result: Result) -> dict[tuple[str, str], int]:
    """Column and key, and how many values it seals."""
    lines = re.findall(r"^(\w+\.\w+) +(key '.+'|unreadable) +(\d+)$", result.stdout, re.MULTILINE)
    return {(column, key): int(count) for column, key, count in lines}


async def test_it_says_what_was_done_and_which_key_may_go(
    run: Run, database: Database, org_id: str
) -> None:
    await add_answers(database, org_id, BEFORE, 3)
    result = await run()
    assert result.exit_code == 0, result.output
    assert "3 values were sealed anew with key '2026'" in result.stdout
    assert counted(result) == {("idempotency_keys.response_sealed", "key '2026'"): 3}
    assert "Key '2025' seals nothing and may leave TRUNKLINE_SECRET_KEYS." in result.stdout
    assert await key_ids(database, org_id) == ["2026"] * 3


async def test_a_dry_run_counts_and_changes_nothing(
    run: Run, database: Database, org_id: str
) -> None:
    await add_answers(database, org_id, BEFORE, 3)
    before = await answers(database, org_id)
    result = await run("--dry-run")
    assert result.exit_code == 0, result.output
    assert counted(result) == {("idempotency_keys.response_sealed", "key '2025'"): 3}
    assert "Key '2025' still seals 3" in result.stdout
    assert "sealed anew" not in result.stdout
    assert await answers(database, org_id) == before


async def test_where_nothing_is_sealed_it_says_so(run: Run) -> None:
    result = await run()
    assert result.exit_code == 0
    assert "Nothing is sealed." in result.stdout


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
async def test_what_does_not_open_is_named_without_its_content(
    run: Run, database: Database, org_id: str, arguments: tuple[str, ...]
) -> None:
    await add_answers(database, org_id, BEFORE, 2)
    lost = SecretBox.from_key_ring(generate_key("lost"))
    sealed = lost.seal(b"canary", purpose=ANSWER, org_id=org_id)
    async with database.tenant(org_id) as session:
        await session.execute(
            update(IdempotencyKey)
            .where(col(IdempotencyKey.key) == "request-000000")
            .values(response_sealed=sealed)
        )
    result = await run(*arguments)
    assert result.exit_code == 1
    assert f"idempotency_keys.response_sealed of {org_id}/request-000000" in result.stderr
    assert "Key 'lost' still seals 1, but is not in TRUNKLINE_SECRET_KEYS." in result.stdout
    assert "canary" not in result.output
    assert sealed.hex() not in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "value", "status", "words"),
    [
        ("TRUNKLINE_SECRET_KEYS", None, 2, "TRUNKLINE_SECRET_KEYS is not set"),
        ("TRUNKLINE_SECRET_KEYS", "2026:c2VjcmV0", 1, "6 bytes"),
        ("TRUNKLINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", 1, "127.0.0.1"),
    ],
)
async def test_a_setting_it_cannot_work_with_is_named(
    run: Run,
    environment: dict[str, str | None],
    name: str,
    value: str | None,
    status: int,
    words: str,
) -> None:
    environment[name] = value
    result = await run()
    assert result.exit_code == status
    assert words in result.stderr
    assert "c2VjcmV0" not in result.output


async def test_killed_in_the_middle_it_is_resumed_beside_others_who_write(
    database: Database, database_urls: TestDatabase, org_id: str, tmp_path: Path
) -> None:
    count = 600
    keys = await add_answers(database, org_id, BEFORE, count)
    changed: dict[str, bytes] = {}

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "trunkline", "secrets", "rotate", *arguments),
            cwd=ROOT,
            env={
                **inherited_environment(tmp_path),
                "TRUNKLINE_DATABASE_URL": database_urls.app_url,
                "TRUNKLINE_SECRET_KEYS": f"{NEW},{OLD}",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def write() -> None:
        """Replace answers from the last on, as a process does that knows only the old key."""
        for key in reversed(keys[-100:]):
            secret = f"changed {key}".encode()
            sealed = BEFORE.seal(secret, purpose=ANSWER, org_id=org_id)
            async with database.tenant(org_id) as session:
                await session.execute(
                    update(IdempotencyKey)
                    .where(col(IdempotencyKey.key) == key)
                    .values(response_sealed=sealed)
                )
            changed[key] = secret

    killed = await start("--batch-size", "1")
    writing = asyncio.create_task(write())
    await until_resealed(database, org_id, 10)
    killed.send_signal(signal.SIGKILL)
    await killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    done = (await key_ids(database, org_id)).count("2026")
    assert 10 <= done < count
    await writing

    both = await asyncio.gather(start("--batch-size", "7"), start("--batch-size", "7"))
    said = [(await each.communicate())[0].decode() for each in both]
    # Each counts what it finds when it is done itself; the other may still be at it.
    ended = await start()
    last = (await ended.communicate())[0].decode()
    assert ended.returncode == 0, last
    anew = [int(found) for text in said for found in re.findall(r"^(\d+) values were", text, re.M)]
    assert sum(anew) >= count - done
    assert "0 values were sealed anew" in last
    assert "Key '2025' seals nothing" in last
    kept = await answers(database, org_id)
    opened = {key: AFTER.open(kept[key], purpose=ANSWER, org_id=org_id) for key in keys}
    assert opened == {key: answer_of(key) for key in keys} | changed
