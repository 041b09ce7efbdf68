"""The one-machine system's own secrets: ``var/secrets.json``, mode 0600, made at the first start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from local.files import read_json, write_json
from storage.secret_box import generate_key

__all__ = ["DamagedSecrets", "LocalSecrets"]


class DamagedSecrets(Exception):
    """The file cannot be read: a new key ring could not open what the old one sealed."""


@dataclass(frozen=True, slots=True, repr=False)
class LocalSecrets:
    """``key_ring`` is the value of ``TRUNKLINE_SECRET_KEYS``; ``api_key`` the demo's operator key."""

    path: Path
    key_ring: str
    api_key: str | None

    @classmethod
    def load(cls, var: Path) -> LocalSecrets:
        """What is on file, completed with a new key ring where there is none.

        Raises ``DamagedSecrets``: a person has to decide.
        """
        path = var / "secrets.json"
        stored = read_json(path)
        if stored is None and path.exists():
            raise DamagedSecrets(
                f"{path} is damaged; restore it, or remove the data folder with it"
            )
        match stored:
            case {"key_ring": str(key_ring), **rest}:
                api_key = rest.get("api_key")
                return cls(path, key_ring, api_key if isinstance(api_key, str) else None)
            case _:
                return cls(path, generate_key("local1"), None)._stored()

    def with_api_key(self, api_key: str) -> LocalSecrets:
        """The same with another operator key, on file."""
        return self if api_key == self.api_key else replace(self, api_key=api_key)._stored()

    def _stored(self) -> LocalSecrets:
        write_json(self.path, {"key_ring": self.key_ring, "api_key": self.api_key})
        return self
