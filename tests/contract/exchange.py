"""The examples of the public contract: read, asked of an API, compared with its answer.

The examples are data, a file of ``examples/`` for each section. An entry is named by its section;
``(newer)`` marks what the generation after the guide brought. ``before`` are requests that must
succeed, ``given`` is what else has happened, ``found`` is what a worker finds out, ``keep`` names
values of an answer for ``{name}`` in what follows. Of the answer only the JSON type counts at the
paths in ``varies``, none of ``absent`` is there, and no text of ``never`` occurs.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import httpx

from tests.contract.likeness import ABSENT, differences, found_at
from tests.support.business_days import good_day

__all__ = [
    "NEWER_REGION",
    "Example",
    "NotPrepared",
    "ask",
    "examples",
    "key_for",
    "mismatches",
    "prepared",
]

Example = dict[str, Any]

FOLDER: Final = Path(__file__).with_name("examples")
FIELDS: Final = {
    *("name", "key", "needs", "regions", "given", "before", "meanwhile", "found"),
    *("request", "status", "answer", "varies", "absent", "never"),
}
NEWER_REGION: Final = """
name = "US2"
sip_server = "us2.sip.bland.ai"
changed_on = 2026-10-01
signaling = ["35.82.60.77", "52.27.163.2"]
media = ["52.13.231.129", "35.160.144.213", "44.234.13.26", "54.218.96.252"]
rtp_ports = [16384, 32768]
"""
"""What stands under the name of a region in the file of an operator whose examples have
``regions``: ``newer``."""


class NotPrepared(Exception):
    """A request that an example needs to be answered well was not."""


def examples() -> dict[str, Example]:
    """Every example by its file and name."""
    found: dict[str, Example] = {}
    for file in sorted(FOLDER.glob("*.json")):
        for example in json.loads(file.read_text(encoding="utf-8")):
            unknown = example.keys() - FIELDS
            if unknown:
                raise ValueError(f"{file.name}: {example['name']}: {', '.join(sorted(unknown))}")
            found[f"{file.stem} {example['name']}"] = example
    return found


def key_for(example: Example, key: str) -> str:
    """The ``Authorization`` header of the example's request; ``key`` is the organization's."""
    match example.get("key", "bearer"):
        case "bearer":
            return f"Bearer {key}"
        case "raw":
            return key
        case "unknown":
            return "Bearer sk-nobody"
    raise NotImplementedError(example["key"])


def filled(value: Any, kept: dict[str, str]) -> Any:
    """The value with what was kept in place of ``{name}``, and lists of numbers and dates written
    out."""
    if isinstance(value, dict):
        if value.keys() == {"$numbers"}:
            return [f"+1415000{last:04}" for last in range(value["$numbers"])]
        if value.keys() == {"$business_day"}:
            return good_day(value["$business_day"])
        return {name: filled(inner, kept) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, kept) for inner in value]
    if isinstance(value, str):
        for name, text in kept.items():
            value = value.replace(f"{{{name}}}", text)
    return value


def _files(request: dict[str, Any]) -> dict[str, tuple[str, bytes]] | None:
    """The file that goes as a form's part, if there is one."""
    file = request.get("file")
    return file and {"file": (file["name"], base64.b64decode(file["base64"]))}


async def ask(
    client: httpx.AsyncClient, request: dict[str, Any], authorization: str, kept: dict[str, str]
) -> httpx.Response:
    """Send a request of an example."""
    return await client.request(
        request["method"],
        filled(request["path"], kept),
        params=filled(request.get("query"), kept),
        json=filled(request.get("body"), kept),
        files=_files(request),
        headers={"Authorization": authorization},
    )


async def prepared(
    client: httpx.AsyncClient, steps: list[dict[str, Any]], key: str, kept: dict[str, str]
) -> dict[str, str]:
    """Send requests that must succeed; what was kept before and what they had to keep.

    Raises ``NotPrepared``.
    """
    for step in steps:
        done = await ask(client, step, f"Bearer {key}", kept)
        if done.status_code != 200 or done.json()["data"].get("failed"):
            raise NotPrepared(f"{step['method']} {step['path']}: {done.text}")
        kept = kept | {name: found_at(done.json(), at) for name, at in step.get("keep", {}).items()}
    return kept


def mismatches(
    example: Example, answer: httpx.Response, said: Any, kept: dict[str, str]
) -> list[str]:
    """Where an answer, of which ``said`` is the JSON to look at, is not what the example shows."""
    wrong = []
    if answer.status_code != example.get("status", 200):
        wrong.append(f"status {answer.status_code}: {answer.text}")
    if answer.headers["content-type"] != "application/json":
        wrong.append(f"content type {answer.headers['content-type']}")
    if list(said) != ["data", "errors"]:
        wrong.append(f"the envelope has {', '.join(said)}")
    wrong += differences(filled(example["answer"], kept), said, example.get("varies", ()))
    wrong += [
        f"{path}: is there"
        for path in example.get("absent", ())
        if found_at(said, path) is not ABSENT
    ]
    wrong += [f"{text!r} occurs" for text in example.get("never", ()) if text in answer.text]
    return wrong
