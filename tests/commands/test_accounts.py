"""``trunkline org`` and ``trunkline key`` on a real database, without any API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.authentication import Authenticator
from api.errors import AuthFailure
from local.files import write_json
from local.upfile import UpFile
from settings import get_settings
from storage import audit
from storage.engine import Database
from storage.secret_box import SecretBox, generate_key
from storage.tables import AuditEntry, Organization, Role
from tests.support.postgres import TestDatabase
from trunkline import application

RING = generate_key("cli")

Cli = Callable[..., Any]


@pytest.fixture
def environment(database_urls: TestDatabase, tmp_path: Path) -> dict[str, str | None]:
    return {
        "TRUNKLINE_DATABASE_URL": database_urls.app_url,
        "TRUNKLINE_SECRET_KEYS": RING,
        "TRUNKLINE_VAR_DIR": str(tmp_path),
    }


@pytest.fixture
def run(environment: dict[str, str | None]) -> Callable[..., Result]:
    """Runs a command in a thread, because it brings its own event loop."""

    def invoke(*arguments: str) -> Result:
        get_settings.cache_clear()
        try:
            runner = CliRunner(env=environment)
            return runner.invoke(application(("org", "key")), arguments)
        finally:
            get_settings.cache_clear()

    return invoke


@pytest.fixture
def cli(run: Callable[..., Result]) -> Cli:
    """Runs a command that must succeed, with ``--json``, and reads what it prints."""

    async def invoke(*arguments: str) -> Any:
        result = await asyncio.to_thread(run, *arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


async def audited(database: Database, org_id: str) -> list[AuditEntry]:
    async with database.tenant(org_id) as session:
        return await audit.entries(session, org_id, limit=20)


async def test_an_organization_is_made_shown_and_listed(cli: Cli, database: Database) -> None:
    made = await cli(
        "org", "create", "Example", "--region", "eu", "--sip", "--email", "noc@example.com"
    )

    assert made["region_name"] == "EU1"
    assert made["entitlements"] == ["SIP"]
    assert await cli("org", "show", made["org_id"]) == made
    assert await cli("org", "list") == [made]
    (entry,) = await audited(database, made["org_id"])
    assert (entry.actor_kind, entry.action) == ("command", "organization.create")
    assert entry.actor_id


async def test_an_update_replaces_what_is_given(cli: Cli) -> None:
    made = await cli("org", "create", "Example", "--phone", "+14155550100")
    changed = await cli(
        "org",
        "update",
        made["org_id"],
        "--webhook",
        "https://a.example.com/",
        "--webhook",
        "https://b.example.com/",
    )

    urls = [each["url"] for each in changed["webhook_endpoints"]]
    assert urls == ["https://a.example.com/", "https://b.example.com/"]
    assert changed["alert_phones"] == ["+14155550100"]


async def test_webhooks_of_every_format_are_one_list(cli: Cli) -> None:
    key = "R0" + "1a" * 15
    made = await cli(
        *("org", "create", "Example", "--webhook", "https://a.example.com/"),
        *("--slack", "https://hooks.slack.com/services/T/B/x"),
        *("--pagerduty", f"https://events.pagerduty.com/v2/enqueue?routing_key={key}"),
    )

    formats = [each["format"] for each in made["webhook_endpoints"]]
    assert formats == ["standard", "slack", "pagerduty"]
    assert key not in str(made)


async def test_quiet_hours_are_set_shown_and_ended(cli: Cli, run: Callable[..., Result]) -> None:
    made = await cli("org", "create", "Example", "--quiet-hours", "22:00-07:00 Europe/Berlin")
    renamed = await cli("org", "update", made["org_id"], "--name", "Other")
    shown = await asyncio.to_thread(run, "org", "show", made["org_id"])
    ended = await cli("org", "update", made["org_id"], "--quiet-hours", "none")

    quiet = made["quiet_hours"]
    assert (quiet["start"], quiet["end"], quiet["zone"]) == ("22:00", "07:00", "Europe/Berlin")
    assert renamed["quiet_hours"] == quiet
    assert "zone Europe/Berlin" in shown.stdout
    assert ended["quiet_hours"] is None


async def test_entitlements_are_given_and_taken(cli: Cli) -> None:
    made = await cli("org", "create", "Example")
    given = await cli("org", "entitle", made["org_id"], "SIP")
    taken = await cli("org", "entitle", made["org_id"])

    assert given["entitlements"] == ["SIP"]
    assert taken["entitlements"] == []


async def test_a_rotated_secret_is_shown_once_and_sealed(cli: Cli, database: Database) -> None:
    org_id = (await cli("org", "create", "Example"))["org_id"]
    shown = await cli("org", "rotate-secret", org_id)

    async with database.tenant(org_id) as session:
        row = await session.get(Organization, org_id)
        assert row is not None
        sealed = row.signing_secret_sealed
    assert sealed is not None
    box = SecretBox.from_key_ring(RING)
    opened = box.open(sealed, purpose="signing_secret", org_id=org_id)
    assert opened.decode() == shown["signing_secret"]
    assert shown["signing_secret"] not in str(await cli("org", "show", org_id))


async def test_a_key_works_until_it_is_revoked(cli: Cli, database: Database) -> None:
    org_id = (await cli("org", "create", "Example"))["org_id"]
    made = await cli("key", "create", org_id, "--role", "operator", "--name", "me")
    principal = await Authenticator(database).principal(made["api_key"])

    assert (principal.org_id, principal.role) == (org_id, Role.OPERATOR)
    (listed,) = await cli("key", "list", org_id)
    assert "api_key" not in listed
    assert listed["hint"] == made["api_key"][-4:]
    revoked = await cli("key", "revoke", org_id, made["key_id"])
    assert datetime.fromisoformat(revoked["revoked_at"]) <= datetime.now(UTC)
    with pytest.raises(AuthFailure):
        await Authenticator(database).principal(made["api_key"])
    actions = [each.action for each in await audited(database, org_id)]
    assert actions == ["api_key.revoke", "api_key.create", "organization.create"]


async def test_text_output_is_for_people(run: Callable[..., Result]) -> None:
    made = await asyncio.to_thread(run, "org", "create", "Example", "--sip")
    listed = await asyncio.to_thread(run, "org", "list")
    org_id = listed.stdout.split()[0]
    key = await asyncio.to_thread(run, "key", "create", org_id)
    keys = await asyncio.to_thread(run, "key", "list", org_id)

    assert "Example" in made.stdout
    assert "SIP" in listed.stdout
    assert "store it now" in key.stderr
    assert "viewer" in keys.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("org", "create", ""), 2, "name"),
        (("org", "create", "x", "--region", "mars"), 2, "region"),
        (("org", "create", "x", "--email", "nobody"), 2, "alert_emails.0"),
        (("org", "create", "x", "--webhook", "http://example.com"), 1, "https"),
        (
            ("org", "create", "x", "--slack", "https://hooks.slack.com"),
            2,
            "webhook_endpoints.0.url",
        ),
        (("org", "create", "x", "--quiet-hours", "22:00"), 2, "quiet_hours.end"),
        (("org", "create", "x", "--quiet-hours", "22:00-07:00 Mars"), 2, "quiet_hours.zone"),
        (("org", "create", "\udcff"), 2, "surrogates"),
        (("org", "show", "nonsense"), 2, "org_"),
        (("org", "show", "org_" + "0" * 22), 1, "not found"),
        (("org", "entitle", "org_" + "0" * 22, "FAX"), 2, "entitlements.0"),
        (("key", "create", "org_" + "0" * 22), 1, "not found"),
        (("key", "create", "org_" + "0" * 22, "--role", "owner"), 2, "role"),
        (("key", "create", "org_" + "0" * 22, "--expires-at", "2099-01-01T00:00"), 2, "expires_at"),
        (("key", "revoke", "org_" + "0" * 22, "nonsense"), 2, "key_"),
        (("key", "list", "org_" + "0" * 22), 1, "not found"),
    ],
)
async def test_a_refusal_says_why_and_sets_the_exit_status(
    run: Callable[..., Result], arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = await asyncio.to_thread(run, *arguments)

    assert result.exit_code == status
    assert words in result.stderr
    assert result.stdout == ""


async def test_without_a_key_ring_no_secret_is_made(
    run: Callable[..., Result], cli: Cli, environment: dict[str, str | None]
) -> None:
    org_id = (await cli("org", "create", "Example"))["org_id"]
    environment["TRUNKLINE_SECRET_KEYS"] = None
    result = await asyncio.to_thread(run, "org", "rotate-secret", org_id)

    assert result.exit_code == 2
    assert "TRUNKLINE_SECRET_KEYS" in result.stderr
    assert (await cli("org", "show", org_id))["signing_secret_set_at"] is None


async def test_an_absent_database_is_named(
    run: Callable[..., Result], environment: dict[str, str | None]
) -> None:
    environment["TRUNKLINE_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    result = await asyncio.to_thread(run, "org", "list")

    assert result.exit_code == 1
    assert "127.0.0.1" in result.stderr
    assert "Traceback" not in result.output


async def test_the_one_machine_system_is_found_by_itself(
    cli: Cli,
    environment: dict[str, str | None],
    database_urls: TestDatabase,
    tmp_path: Path,
) -> None:
    UpFile(
        api_url="http://127.0.0.1:1",
        dashboard_url="http://127.0.0.1:1/",
        temporal_ui_url=None,
        temporal_address="127.0.0.1:1",
        mail_url="http://127.0.0.1:1",
        smtp_url="smtp://127.0.0.1:1",
        database_url=database_urls.owner_url,
        api_key="",
        lab={},
        pids={},
    ).write(tmp_path)
    write_json(tmp_path / "secrets.json", {"key_ring": RING, "api_key": None})
    environment["TRUNKLINE_DATABASE_URL"] = None
    environment["TRUNKLINE_SECRET_KEYS"] = None

    org_id = (await cli("org", "create", "Example"))["org_id"]
    assert (await cli("org", "rotate-secret", org_id))["signing_secret"].startswith("whsec_")
