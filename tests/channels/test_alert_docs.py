"""The pages about alerts say what the code does, and their snippets run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from channels.webhook import signed_headers
from domain.alert_calls import NOT_THE_TRUNKS_FAULT
from domain.alert_kinds import AlertKind
from domain.alert_messages import AlertEventType
from tests.channels.messages import OPENED

DOCS = Path(__file__).parents[2] / "docs/alerts"
PAGE = (DOCS / "webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_" + b64encode(b"\xfb\xff" * 16).decode()
BODY = OPENED.model_dump_json().encode()

Verify = Callable[[Path, str, dict[str, str], bytes], str]


def snippet(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert isinstance(found, str)
    return found


def run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def in_python(folder: Path, secret: str, headers: dict[str, str], body: bytes) -> str:
    call = f"print('valid' if verify({secret!r}, {headers!r}, {body!r}) else 'invalid')"
    return run([sys.executable, "-c", f"{snippet('python')}\n{call}"], folder)


def in_node(folder: Path, secret: str, headers: dict[str, str], body: bytes) -> str:
    arguments = ", ".join(json.dumps(each) for each in (secret, headers))
    bytes_ = f"Buffer.from({json.dumps(b64encode(body).decode())}, 'base64')"
    call = f"console.log(verify({arguments}, {bytes_}) ? 'valid' : 'invalid');"
    program = shutil.which("node")
    assert program is not None
    return run([program, "-e", f"{snippet('javascript')}\n{call}"], folder)


def in_shell(folder: Path, secret: str, headers: dict[str, str], body: bytes) -> str:
    (folder / "body.json").write_bytes(body)
    return run(
        ["sh", "-c", snippet("sh")],
        folder,
        SECRET=secret,
        ID=headers["webhook-id"],
        TIMESTAMP=headers["webhook-timestamp"],
        SIGNATURE=headers["webhook-signature"],
    )


@pytest.mark.parametrize(
    ("verify", "needs", "checks_time"),
    [(in_python, "sh", True), (in_node, "node", True), (in_shell, "openssl", False)],
)
def test_the_snippets_accept_what_we_sign_and_nothing_else(
    verify: Verify, needs: str, checks_time: bool, tmp_path: Path
) -> None:
    if shutil.which(needs) is None:
        pytest.skip(f"{needs} is not installed")
    now = int(time.time())
    other = "whsec_" + b64encode(b"o" * 32).decode()
    headers = dict(signed_headers(OPENED.id, BODY, (other, SECRET), now))
    assert verify(tmp_path, SECRET, headers, BODY) == "valid"
    assert verify(tmp_path, SECRET, headers, BODY + b" ") == "invalid"
    assert verify(tmp_path, SECRET, {**headers, "webhook-id": "evt_x"}, BODY) == "invalid"
    assert verify(tmp_path, "whsec_" + b64encode(b"x" * 32).decode(), headers, BODY) == "invalid"
    if checks_time:
        old = dict(signed_headers(OPENED.id, BODY, (SECRET,), now - 3600))
        assert verify(tmp_path, SECRET, old, BODY) == "invalid"


def test_the_body_is_what_json_stringify_makes_of_it(tmp_path: Path) -> None:
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    odd = 'é \u2028 \x7f \x01 \U0001f600 </script> \\ " / \t'
    event = OPENED.model_copy(update={"data": OPENED.data.model_copy(update={"title": odd})})
    body = event.model_dump_json().encode()
    headers = dict(signed_headers(event.id, body, (SECRET,), 1))
    script = (
        "const body = JSON.parse(Buffer.from(process.argv[1], 'base64'));"
        "console.log(require('crypto').createHmac('sha256', process.argv[2])"
        ".update(JSON.stringify(body)).digest('hex'))"
    )
    said = run([program, "-e", script, b64encode(body).decode(), SECRET], tmp_path)
    assert said == headers["x-webhook-signature"]


def test_the_pages_name_every_kind_type_and_excused_response() -> None:
    page = (DOCS / "README.md").read_text(encoding="utf-8")
    for kind in AlertKind:
        assert f"| `{kind.value}` |" in page
    for type_ in (*(each.value for each in AlertEventType), "sip.alert.digest"):
        assert f"| `{type_}` |" in PAGE
    [codes] = re.findall(r"wrong numbers \(([^)]*)\)", page)
    named = {int(each) for each in re.findall(r"\d{3}", codes)}
    first, last = (int(each) for each in re.findall(r"(\d{3}) to (\d{3})", codes)[0])
    assert named | set(range(first, last)) == NOT_THE_TRUNKS_FAULT
