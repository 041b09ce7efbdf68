"""``trunkline export``, ``plan`` and ``apply`` as a person runs them, against a real API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from commands.state import URL_VARIABLE
from settings import Settings
from storage.engine import Database
from storage.secret_box import generate_key
from storage.tables import Role
from tests.api.streaming import served
from tests.api.tenants import make_tenant
from tests.commands.state_desk import DOCUMENT, Desk
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import TestDatabase


@pytest.fixture
async def desk(
    database_urls: TestDatabase, database: Database, loopback: LoopbackBlock, tmp_path: Path
) -> AsyncIterator[Desk]:
    settings = Settings(
        database_url=SecretStr(database_urls.app_url),
        secret_keys=SecretStr(generate_key("test")),
        temporal_address="127.0.0.1:1",
    )
    tenant = await make_tenant(database)
    app = create_app(settings, database=database)
    async with served(app, loopback.address()) as url:
        made = Desk(tmp_path, url, tenant)
        made.file.write_text(DOCUMENT)
        yield made


async def test_a_plan_shows_the_changes_and_makes_none(desk: Desk) -> None:
    ran = await desk.run("plan", "trunkline.yaml")

    assert (ran.code, ran.err) == (2, "")
    assert "+ trunk Acme" in ran.out
    assert "+ outbound +14150000001, +14150000002" in ran.out
    assert "    1.options.port          5070\n" in ran.out
    assert "5 to add, 0 to change, 0 to take away." in ran.out
    assert "canary" not in ran.out
    assert await desk.configured() == {"version": 1, "trunks": [], "numbers": []}


async def test_what_is_applied_is_no_change_any_more_and_comes_back_from_an_export(
    desk: Desk,
) -> None:
    ran = await desk.run("apply", "trunkline.yaml", "--yes")

    assert (ran.code, ran.out.splitlines()[-2]) == (0, "Applied.")
    assert "Password for the PBX that acme registers at: " in ran.out
    assert "It is shown this once" in ran.err
    again = await desk.run("plan", "trunkline.yaml")
    # The passwords in the file are the present ones.
    assert (again.code, again.out) == (0, "Nothing differs.\n")

    exported = await desk.run("export", "-o", "exported.yaml")
    assert (exported.code, exported.out, exported.err) == (0, "", "")
    text = (desk.folder / "exported.yaml").read_text()
    assert "'+14150000001'" in text
    assert "canary" not in text
    assert (await desk.run("export")).out == text
    assert (await desk.run("plan", "exported.yaml")).code == 0
    nothing = await desk.run("apply", "exported.yaml", "--yes")
    assert (nothing.code, nothing.out) == (0, "Nothing differs.\n")


async def test_each_change_is_told_with_what_was_before(desk: Desk) -> None:
    await desk.run("apply", "trunkline.yaml", "--yes")
    changed = (
        DOCUMENT.replace("direction: both\n", "direction: both\n    provider: acme\n", 1)
        .replace("canary-call", "canary-other")
        .replace("port: 5070", "transport: tls")
        .replace("[+14150000001, +14150000002]", "[+14150000001]")
    )

    ran = await desk.run("plan", "-", stdin=changed)

    assert (ran.code, ran.err) == (2, "")
    for line in (
        "~ trunk Acme",
        "    provider              custom -> acme",
        "    options.sip_password  another password",
        "~ outbound +14150000001",
        "    1.options.port          5070 -> (none)",
        "    1.options.transport     tls",
        "    1.options.sip_password  another password",
        "- inbound +14150000002",
        "    0.trunk  Acme -> (none)",
    ):
        assert line in ran.out.splitlines()
    assert "0 to add, 2 to change, 2 to take away." in ran.out


async def test_a_plan_as_json_is_what_the_api_tells(desk: Desk) -> None:
    ran = await desk.run("plan", "trunkline.yaml", "--json")

    assert ran.code == 2
    assert [each["action"] for each in json.loads(ran.out)] == [
        "trunk.create",
        "number.attach",
        "number.attach",
    ]


@pytest.mark.parametrize(("answer", "code", "trunks"), [("n", 2, 0), ("y", 0, 1)])
async def test_applying_asks_first(desk: Desk, answer: str, code: int, trunks: int) -> None:
    ran = await desk.answering(answer, "apply", "trunkline.yaml")

    assert ran.code == code
    assert ran.out.index("+ trunk Acme") < ran.out.index("Apply these changes?")
    assert len((await desk.configured())["trunks"]) == trunks


async def test_without_a_terminal_nothing_is_applied_unasked(desk: Desk) -> None:
    ran = await desk.run("apply", "trunkline.yaml")

    assert (ran.code, ran.out) == (1, "")
    assert "--yes" in ran.err
    assert (await desk.configured())["trunks"] == []


async def test_colours_are_for_terminals(desk: Desk) -> None:
    plain = await desk.run("plan", "trunkline.yaml")
    coloured = await desk.run("plan", "trunkline.yaml", FORCE_COLOR="1")

    assert "\x1b[" not in plain.out
    assert "\x1b[1;32m+ trunk Acme" in coloured.out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("trunks: [", "while parsing"),
        ("[]", "must hold version, trunks and numbers"),
        ("version: 1\nversion: 1\n", "version is there twice"),
        ("version: !!python/object:os.system {}\n", "could not determine a constructor"),
        ("version: .nan\ntrunks: []\nnumbers: []\n", "version: "),
        ("version: 2\ntrunks: []\nnumbers: []\n", "version: "),
        ("version: 1\ntrunks: []\n", "numbers is required"),
        (
            "version: 1\ntrunks: []\nnumbers: [{phone_numbers: [(415) 1], inbound: [{}]}]\n",
            "numbers.0.phone_numbers.0: ",
        ),
    ],
)
async def test_a_wrong_file_is_refused_with_the_reason(
    desk: Desk, text: str, complaint: str
) -> None:
    desk.file.write_text(text)

    for command in (("plan",), ("apply", "--yes")):
        ran = await desk.run(*command, "trunkline.yaml")

        assert (ran.code, ran.out) == (1, "")
        assert complaint in ran.err
        assert "Traceback" not in ran.err


async def test_what_keeps_the_api_from_answering_is_said(desk: Desk) -> None:
    missing = await desk.run("plan", "nowhere.yaml")
    away = await desk.run("plan", "trunkline.yaml", "--url", str(httpx.URL(desk.url, port=1)))
    stranger = await desk.run("export", "--key", "sk_nobody")
    viewer = await desk.run("plan", "trunkline.yaml", "--key", desk.tenant.keys[Role.VIEWER])
    unset = await desk.run("export", **{URL_VARIABLE: ""})
    nonsense = await desk.run("export", "--url", "ftp://x")

    complaints = {
        "nowhere.yaml: No such file": missing,
        "AUTH_FAILURE": stranger,
        "FORBIDDEN": viewer,
        f"set {URL_VARIABLE}": unset,
        "ftp://x": nonsense,
        "/v1/sip/state: ": away,
    }
    for complaint, ran in complaints.items():
        assert (ran.code, ran.out) == (1, "")
        assert complaint in ran.err
        assert "Traceback" not in ran.err


OTHER = "version: 1\ntrunks: [{name: Other, direction: inbound}]\nnumbers: []\n"


async def test_a_change_between_plan_and_answer_stops_the_apply(desk: Desk) -> None:
    ran = await desk.answering(
        "y",
        *("apply", "trunkline.yaml"),
        meanwhile=lambda: desk.run("apply", "-", "--yes", stdin=OTHER),
    )

    assert ran.code == 1
    assert "PRECONDITION_FAILED" in ran.err
    assert [each["name"] for each in (await desk.configured())["trunks"]] == ["Other"]
