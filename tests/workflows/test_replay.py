"""Today's workflows still understand the histories of every earlier release.

Replay proves the shape of the command stream only. Changed timeouts, retry policies, task queues,
activity arguments and results are invisible to it; ``test_discovery`` reads those from the
histories that it produces.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.scenarios import SCENARIOS
from workflows.registry import WORKFLOWS

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def scheduled(path: Path) -> tuple[str, ...]:
    """Types of the activities that a history scheduled, in order."""
    events = json.loads(path.read_text())["events"]
    return tuple(
        event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
        for event in events
        if "activityTaskScheduledEventAttributes" in event
    )


def history_in(path: Path) -> WorkflowHistory:
    """A recorded history."""
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history_in(path))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_reaches_what_its_scenario_protects(path: Path) -> None:
    assert scheduled(path) == BY_NAME[path.name.split(".")[0]].commands


def test_every_scenario_has_a_history_and_every_history_a_scenario() -> None:
    assert {path.name.split(".")[0] for path in HISTORIES} == set(BY_NAME)
