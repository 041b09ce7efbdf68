"""The Dockerfile and the compose file, as far as they can be checked without a container engine."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings
from trunkline import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {f"TRUNKLINE_{name.upper()}" for name in Settings.model_fields}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


def _instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


DOCKERFILE = _instructions()


def test_the_image_is_built_in_stages_and_runs_without_root() -> None:
    stages = [index for index, (word, _) in enumerate(DOCKERFILE) if word == "FROM"]
    assert len(stages) == 2
    users = [rest for word, rest in DOCKERFILE[stages[-1] :] if word == "USER"]
    assert users
    assert users[-1] not in {"0", "root"}


def test_the_image_installs_only_what_is_locked_with_hashes() -> None:
    installs = [rest for word, rest in DOCKERFILE if word == "RUN" and "pip install" in rest]
    assert installs
    for install in installs:
        assert "--require-hashes" in install
        assert "requirements.lock" in install


def test_the_image_copies_what_exists() -> None:
    for word, rest in DOCKERFILE:
        if word == "COPY" and not rest.startswith("--from="):
            *sources, _ = shlex.split(rest)
            assert all((ROOT / source).exists() for source in sources)


def test_the_image_starts_an_existing_command_and_has_a_health_check() -> None:
    words = dict(DOCKERFILE)
    assert json.loads(words["ENTRYPOINT"]) == ["python", "-m", "trunkline"]
    assert json.loads(words["CMD"])[0] in COMMANDS
    check = json.loads(words["HEALTHCHECK"].partition(" CMD ")[2])
    compile(check[2], "HEALTHCHECK", "exec")


def test_the_image_sets_known_settings_only() -> None:
    for word, rest in DOCKERFILE:
        if word == "ENV":
            names = [pair.partition("=")[0] for pair in shlex.split(rest)]
            assert {name for name in names if name.startswith("TRUNKLINE_")} <= SETTINGS


def test_the_image_holds_the_program_but_no_data_and_no_secrets() -> None:
    text = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    ignored = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert {"var", ".env", ".git", ".venv"} <= set(ignored)
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    program = [name.removesuffix("*") for name in setuptools["packages"]["find"]["include"]]
    program += [f"{name}.py" for name in setuptools["py-modules"]]
    program.append("requirements.lock")
    lost = [name for name in program if any(fnmatch(name, pattern) for pattern in ignored)]
    assert lost == []


def test_compose_starts_every_part_of_the_system() -> None:
    assert {"postgres", "temporal", "temporal-ui", "migrate", "api", "worker"} <= SERVICES.keys()
    assert OURS == ["migrate", "api", "worker", "hep"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_use_known_settings_and_existing_commands(name: str) -> None:
    service = SERVICES[name]
    assert service["environment"].keys() <= SETTINGS
    assert service["command"][0] in COMMANDS


def test_only_the_migration_knows_the_owner_of_the_tables() -> None:
    knowing = [n for n in OURS if "TRUNKLINE_DATABASE_OWNER_URL" in SERVICES[n]["environment"]]
    assert knowing == ["migrate"]


def test_no_password_or_key_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    variables = re.findall(r"(?<!\$)\$\{([^}]*)\}", code)
    assert variables
    for variable in variables:
        assert re.fullmatch(r"[A-Z_]+:\?.+", variable), variable
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|SECRET|KEY", name):
                assert value.startswith("${"), name


def test_the_comment_on_top_makes_every_variable_that_is_needed() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    [names] = re.findall(r"for name in ([A-Z_ ]+); do", text)
    made = {f"{name}_PASSWORD" for name in names.split()} | {"SECRET_KEYS"}
    assert needed == made


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_services_that_exist(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_the_worker_may_finish_its_activities() -> None:
    grace = SERVICES["worker"]["stop_grace_period"]
    default = Settings.model_fields["worker_grace"].default
    assert int(grace.removesuffix("s")) > default.total_seconds()


def test_files_that_are_mounted_exist() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_file()
