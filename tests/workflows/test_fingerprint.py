"""A change of a workflow's commands is seen in review."""

from __future__ import annotations

import json

from temporalio import workflow

from tests.workflows.fingerprint import COMMANDS_FILE, ISSUING, fingerprints


def test_the_commands_of_every_workflow_are_the_reviewed_ones() -> None:
    assert fingerprints() == json.loads(COMMANDS_FILE.read_text()), (
        "The commands of a workflow changed. Histories of running workflows hold the old ones: put "
        "the new ones behind workflow.patched(), record a history of the new epoch with "
        "`python -m tests.workflows.record EPOCH`, then write the file anew with "
        "`python -m tests.workflows.fingerprint`."
    )


def test_every_issuing_function_exists_in_the_sdk() -> None:
    assert {name for name in ISSUING if not hasattr(workflow, name)} == set()
