"""A folder with a configuration in a file, in which commands run as processes."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from commands.state import KEY_VARIABLE, URL_VARIABLE
from storage.tables import Role
from tests.api.tenants import Tenant
from tests.support.programs import inherited_environment

__all__ = ["DOCUMENT", "Desk", "Ran"]

ROOT = Path(__file__).resolve().parents[2]


DOCUMENT = """\
version: 1
trunks:
  - name: Acme
    direction: both
    sip_endpoint: trunk.acme.example
    auth_mode: register
    register_auth: {username: acme, password: canary-register}
    options: &options
      sip_username: acme
      sip_password: canary-call
numbers:
  - phone_numbers: [+14150000001, +14150000002]
    inbound: [{trunk: Acme}]
    outbound:
      - trunk: Acme
      - sip_endpoint: sip:backup.example.com
        options:
          <<: *options
          port: 5070
"""


@dataclass(frozen=True, slots=True)
class Ran:
    code: int | None
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with ``file``, and the API that the commands there talk to."""

    folder: Path
    url: str
    tenant: Tenant
    role: Role = Role.EDITOR

    @property
    def file(self) -> Path:
        return self.folder / "trunkline.yaml"

    def environment(self) -> dict[str, str]:
        return {
            **inherited_environment(self.folder),
            "PYTHONIOENCODING": "utf-8",
            URL_VARIABLE: self.url,
            KEY_VARIABLE: self.tenant.keys[self.role],
        }

    async def run(self, *arguments: str, stdin: str | None = None, **variables: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "trunkline.py"), *arguments),
            stdin=DEVNULL if stdin is None else PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=self.folder,
            env={**self.environment(), **variables},
        )
        out, err = await process.communicate(None if stdin is None else stdin.encode())
        return Ran(process.returncode, out.decode(), err.decode())

    async def answering(
        self,
        answer: str,
        *arguments: str,
        meanwhile: Callable[[], Awaitable[object]] | None = None,
    ) -> Ran:
        """Run with a terminal on which ``answer`` is typed, after ``meanwhile``, when it asks."""
        ours, theirs = pty.openpty()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(ROOT / "trunkline.py"), *arguments),
                stdin=theirs,
                stdout=PIPE,
                stderr=PIPE,
                cwd=self.folder,
                env={**self.environment(), "PYTHONUNBUFFERED": "1"},
            )
            assert process.stdout is not None
            asked = await process.stdout.readuntil(b"Apply these changes?")
            if meanwhile is not None:
                await meanwhile()
            os.write(ours, f"{answer}\n".encode())
            out, err = await process.communicate()
            return Ran(process.returncode, (asked + out).decode(), err.decode())
        finally:
            os.close(theirs)
            os.close(ours)

    async def configured(self) -> Any:
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.get("/v1/sip/state", headers=self.tenant.viewer)
            return answer.json()["data"]
