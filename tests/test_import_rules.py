"""The import contracts name what they are meant to hold."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def contracts() -> dict[str, list[str]]:
    """Source modules by the name of their contract."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {each["name"]: each["source_modules"] for each in found["contracts"]}


def test_every_pure_sip_module_is_under_its_contract() -> None:
    listed = contracts()["SIP protocol code does no I/O and knows nothing of ours above it"]
    there = {f"sip.{path.stem}" for path in (ROOT / "sip").glob("*.py")} - {"sip.__init__"}
    assert set(listed) == there


def test_every_package_of_ours_is_linted() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert set(config["importlinter"]["root_packages"]) == packages
    assert packages <= set(config["mypy"]["packages"])
