"""Recorded histories as files: written once, read by the tests that replay them.

An order's history of weeks is 150 kB of JSON and compresses to a tenth, so new ones are written with
gzip; ``zcat`` shows one, and the Temporal Web UI imports what it shows.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

from temporalio.client import WorkflowHistory

__all__ = ["HISTORIES", "activities_in", "history_in", "name_of", "path_of", "save"]

HISTORIES: Final = Path(__file__).parent / "histories"
ROOT: Final = Path(__file__).parents[2]


def path_of(name: str, epoch: str) -> Path:
    """Where a scenario's history of this epoch is, or is to be."""
    plain = HISTORIES / f"{name}.{epoch}.json"
    return plain if plain.exists() else plain.with_name(f"{plain.name}.gz")


def name_of(path: Path) -> str:
    """The scenario that a file was recorded from."""
    return path.name.partition(".")[0]


def save(path: Path, history: WorkflowHistory) -> None:
    """Write a history."""
    # Stack traces of failures say where the repository is; nothing reads that.
    text = history.to_json().replace(str(ROOT), "/trunkline")
    compact = json.dumps(json.loads(text), separators=(",", ":"))
    # Without the time of writing the same history is the same file.
    path.write_bytes(gzip.compress(compact.encode(), mtime=0))


def history_in(path: Path) -> WorkflowHistory:
    """A recorded history."""
    return WorkflowHistory.from_json(name_of(path), _text(path))


def activities_in(path: Path) -> tuple[str, ...]:
    """Types of the activities that a history scheduled, in order."""
    events: list[dict[str, Any]] = json.loads(_text(path))["events"]
    return tuple(
        event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
        for event in events
        if "activityTaskScheduledEventAttributes" in event
    )


def _text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
