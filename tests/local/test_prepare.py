"""Preparing the database of the one-machine system."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.prepare import NotMigrated, prepare
from settings import Settings
from storage import api_keys
from storage.engine import Database
from storage.errors import UnsafeRole
from storage.tables import Role
from tests.support.postgres import PostgresForTests, TestDatabase
from tests.support.programs import inherited_environment

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parents[2]


def _settings(urls: TestDatabase, *, owner: bool) -> Settings:
    return Settings.model_validate(
        {"database_url": urls.app_url, "database_owner_url": urls.owner_url if owner else None}
    )


async def test_an_empty_database_gets_tables_and_an_operator_key(
    postgres: PostgresForTests,
) -> None:
    with postgres.database(migrated=False) as urls:
        key = await prepare(_settings(urls, owner=True), None)
        database = Database(urls.app_url)
        async with database.system() as session:
            found = await api_keys.find(session, api_keys.hash_of(key), now=datetime.now(UTC))
        await database.dispose()
    assert found is not None
    assert found[0].role is Role.OPERATOR
    assert found[1].entitlements == ["SIP"]


async def test_a_second_start_keeps_the_key_that_works(database_urls: TestDatabase) -> None:
    settings = _settings(database_urls, owner=True)
    key = await prepare(settings, None)
    assert await prepare(settings, key) == key


async def test_a_key_that_was_revoked_is_replaced_in_the_same_organization(
    database_urls: TestDatabase, database: Database
) -> None:
    settings = _settings(database_urls, owner=True)
    key = await prepare(settings, None)
    async with database.system() as session:
        now = datetime.now(UTC)
        first = await api_keys.find(session, api_keys.hash_of(key), now=now)
        assert first is not None
        await api_keys.revoke(session, first[0].id, now=now)
    new_key = await prepare(settings, key)
    assert new_key != key
    async with database.system() as session:
        second = await api_keys.find(session, api_keys.hash_of(new_key), now=datetime.now(UTC))
    assert second is not None
    assert second[1].id == first[1].id


async def test_a_database_without_tables_and_without_an_owner_is_named(
    postgres: PostgresForTests,
) -> None:
    with (
        postgres.database(migrated=False) as urls,
        pytest.raises(NotMigrated, match="TRUNKLINE_DATABASE_OWNER_URL"),
    ):
        await prepare(_settings(urls, owner=False), None)


async def test_a_migrated_database_needs_no_owner(database_urls: TestDatabase) -> None:
    assert await prepare(_settings(database_urls, owner=False), None)


async def test_a_role_that_could_read_past_tenancy_is_refused(database_urls: TestDatabase) -> None:
    settings = Settings.model_validate({"database_url": database_urls.owner_url})
    with pytest.raises(UnsafeRole):
        await prepare(settings, None)


def test_the_process_answers_with_the_key_alone(database_urls: TestDatabase) -> None:
    done = _run(TRUNKLINE_DATABASE_URL=database_urls.app_url)
    assert done.returncode == 0
    assert json.loads(done.stdout).keys() == {"api_key"}


def test_the_process_ends_with_one_line_that_says_why() -> None:
    done = _run(TRUNKLINE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def _run(**settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.prepare"],
        cwd=ROOT,
        env={**inherited_environment(Path.home()), **settings},
        input='{"api_key": null}',
        capture_output=True,
        text=True,
    )
