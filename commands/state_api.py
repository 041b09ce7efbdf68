"""The routes of the whole configuration, called over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import httpx

__all__ = ["ApiFailed", "Plan", "StateApi"]

PATH: Final = "/v1/sip/state"
# Thousands of numbers are one transaction.
TIMEOUT: Final = httpx.Timeout(10, read=120)


class ApiFailed(Exception):
    """The API refused, or was not reached; ``lines`` say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Plan:
    """What a document would change, as the API tells it, and of which configuration (``tag``)."""

    document: Any
    changes: list[dict[str, Any]]
    tag: str


class StateApi:
    """Each call is a connection of its own; each raises ``ApiFailed``."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/") + PATH
        self._key = key

    def export(self) -> dict[str, Any]:
        """Everything that is configured."""
        data: dict[str, Any] = self._call("GET")[0]
        return data

    def plan(self, document: Any) -> Plan:
        """What the document would change."""
        data, headers = self._call("PUT", document, params={"dry_run": "true"})
        return Plan(document, data["changes"], headers.get("ETag", ""))

    def apply(self, plan: Plan) -> list[tuple[str, str]]:
        """Make exactly the changes of the plan; users and their new passwords for the PBX."""
        data, _ = self._call("PUT", plan.document, headers={"If-Match": plan.tag})
        return [
            (each["username"], each["register_password_for_pbx"])
            for each in data.get("register_passwords_for_pbx", ())
        ]

    def _call(
        self,
        method: str,
        document: Any = None,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Any, httpx.Headers]:
        authorized = {"Authorization": f"Bearer {self._key}", **(headers or {})}
        try:
            answer = httpx.request(
                method,
                self._url,
                json=document,
                params=params,
                headers=authorized,
                timeout=TIMEOUT,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ApiFailed(f"{self._url}: {error}") from error
        except UnicodeEncodeError as error:
            raise ApiFailed("the API key has characters that no key has") from error
        return _data_of(answer), answer.headers


def _data_of(answer: httpx.Response) -> Any:
    try:
        body = answer.json()
        data, errors = body["data"], body["errors"]
    except (ValueError, TypeError, KeyError) as error:
        raise ApiFailed(f"{answer.url}: status {answer.status_code}, and no Trunkline") from error
    if errors:
        raise ApiFailed(*(f"{each['error']}: {each['message']}" for each in errors))
    return data
