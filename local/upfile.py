"""``var/up.json``: where a running system is, for scripts and for the summary on the terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError

from local.files import read_json, write_json

__all__ = ["DASHBOARD_PATH", "UpFile", "up_path"]

DASHBOARD_PATH = "/openapi.json"
"""What a person opens in a browser under the API's address."""


@dataclass(frozen=True, slots=True)
class UpFile:
    """The file's content; an address is null when that part is not ours and not told to us."""

    api_url: str
    dashboard_url: str
    temporal_ui_url: str | None
    temporal_address: str
    mail_url: str
    smtp_url: str
    database_url: str
    api_key: str
    lab: dict[str, str]
    pids: dict[str, int]

    def write(self, var: Path) -> None:
        """Replace the file; it has mode 0600."""
        write_json(up_path(var), asdict(self))

    def with_pids(self, pids: dict[str, int]) -> UpFile:
        """The same system after a process was started again."""
        return replace(self, pids=pids)

    @classmethod
    def read(cls, var: Path) -> Self | None:
        """What is on file; ``None`` when nothing is, or something else."""
        try:
            return TypeAdapter(cls).validate_python(read_json(up_path(var)))
        except ValidationError:
            return None


def up_path(var: Path) -> Path:
    """Where the file is."""
    return var / "up.json"
