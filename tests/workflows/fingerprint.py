"""The commands that a workflow can issue, in source order: those of its class, and of the modules
beside it whose names begin with its own.

``python -m tests.workflows.fingerprint`` writes ``commands.json``. The diff of that file in a change
is the review of its effect on running workflows: a command that was added, removed or moved must
stand behind ``workflow.patched()`` unless no history of the workflow can be open.
"""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

from workflows.registry import WORKFLOWS

__all__ = ["COMMANDS_FILE", "commands_of", "fingerprints"]

COMMANDS_FILE = Path(__file__).parent / "commands.json"

ISSUING = frozenset(
    {
        "continue_as_new",
        "deprecate_patch",
        "execute_activity",
        "execute_activity_method",
        "execute_child_workflow",
        "execute_local_activity",
        "execute_local_activity_method",
        "get_external_workflow_handle",
        "patched",
        "sleep",
        "start_activity",
        "start_activity_method",
        "start_child_workflow",
        "start_local_activity",
        "start_local_activity_method",
        "upsert_memo",
        "upsert_search_attributes",
        "wait_condition",
    }
)
"""Functions of ``temporalio.workflow`` that put a command or a marker into the history."""


def commands_of(workflow_class: type) -> list[str]:
    """Issuing calls of a workflow as ``method: call(first argument)``, in source order."""
    module = Path(inspect.getfile(workflow_class))
    parts = sorted(module.parent.glob(f"{module.stem}_*.py"))
    names = frozenset(part.stem for part in parts)
    found = _commands_in(inspect.getsource(workflow_class), names)
    for part in parts:
        found += [f"{part.stem}.{each}" for each in _commands_in(part.read_text(), names)]
    return found


def _commands_in(source: str, parts: frozenset[str]) -> list[str]:
    tree = ast.parse(source)
    found: list[str] = []
    for method in ast.walk(tree):
        if isinstance(method, ast.AsyncFunctionDef | ast.FunctionDef):
            calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
            calls.sort(key=lambda call: (call.lineno, call.col_offset))
            found += [f"{method.name}: {text}" for call in calls if (text := _issued(call, parts))]
    return found


def _issued(call: ast.Call, parts: frozenset[str]) -> str | None:
    function = call.func
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return None
    owner = function.value.id
    if owner in parts:
        return f"{owner}.{function.attr}"
    if owner != "workflow" or function.attr not in ISSUING:
        return None
    return f"{function.attr}({ast.unparse(call.args[0]) if call.args else ''})"


def fingerprints() -> dict[str, list[str]]:
    """Commands by workflow class."""
    return {each.__name__: commands_of(each) for each in WORKFLOWS}


if __name__ == "__main__":
    COMMANDS_FILE.write_text(json.dumps(fingerprints(), indent=2) + "\n")
