"""Conventions that matter, as checks over the repository itself."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands.settings_doc import page
from settings import Settings

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = {".git", ".venv", "var", "build", "node_modules", "__pycache__", ".hypothesis"}
MAX_LINES = 300
MAX_WORKFLOW_LINES = 200


def _files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS and not name.endswith(("_cache", ".egg-info"))
        ]
        yield from (Path(folder, name) for name in names if not name.startswith(".coverage"))


FILES = sorted(_files())
PYTHON = [path for path in FILES if path.suffix == ".py"]


def _toml() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_python_file_fits_on_few_screens() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in PYTHON
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        >= (MAX_WORKFLOW_LINES if path.parent == ROOT / "workflows" else MAX_LINES)
    }
    assert too_long == {}


def test_no_file_names_a_package_registry() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted.org", "npmjs" + ".", "debian" + ".org"]
    options = [f"--{name}" for name in ("index-url", "extra-index-url", "find-links")]
    naming = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path != Path(__file__)
        and any(word.encode() in path.read_bytes() for word in [*hosts, *options])
    ]
    assert naming == []


def test_every_setting_is_documented() -> None:
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == page()


def test_every_setting_says_what_it_is_for() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not field.description]
    assert silent == []


def test_every_package_and_module_is_installed_typed_and_under_the_import_rules() -> None:
    project = _toml()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    modules = {path.stem for path in ROOT.glob("*.py")}
    setuptools = project["tool"]["setuptools"]
    installed = {name.removesuffix("*") for name in setuptools["packages"]["find"]["include"]}
    assert packages - {"benchmarks"} <= installed
    assert modules == set(setuptools["py-modules"])
    assert packages | {"tests"} <= set(project["tool"]["mypy"]["packages"])
    assert modules == set(project["tool"]["mypy"]["modules"])
    assert packages - {"benchmarks"} <= set(project["tool"]["importlinter"]["root_packages"])


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_requirement_has_a_version_and_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+(\[[a-z,-]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_both_locks_agree_and_cover_what_the_project_asks_for() -> None:
    project = _toml()
    runtime, dev = (_locked(name) for name in ("requirements.lock", "requirements-dev.lock"))
    assert runtime.items() <= dev.items()
    assert _names(project["project"]["dependencies"]) <= runtime.keys()
    extras = project["project"]["optional-dependencies"]["local"]
    assert _names([*extras, *project["dependency-groups"]["dev"]]) <= dev.keys()


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.MULTILINE))


def _names(requirements: list[str]) -> set[str]:
    return {
        re.split(r"[\[<>=~! ]", requirement)[0].lower().replace("_", "-")
        for requirement in requirements
    }


def test_make_check_runs_lint_format_types_and_import_rules() -> None:
    recipe = _make("-n", "check").stdout
    for tool in ("ruff check", "ruff format --check", "mypy", "importlinter"):
        assert tool in recipe


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [targets] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    helped = _make("help").stdout
    for target in set(targets.split()) - {"help", "environment"}:
        assert f"make {target} " in helped


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "script", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name
)
def test_every_script_parses(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
