"""The mail sink's messages: kept on file across restarts, bounded in number and size."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path

from local.files import private_folder, read_json, write_json

__all__ = ["MAX_MESSAGE_BYTES", "Mail", "Mailbox"]

MAX_MESSAGE_BYTES = 10 * 1024 * 1024
"""A port document may have 10 MB, mail to people is far below."""

MAX_MESSAGES = 500
MAX_TOTAL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it came in; ``raw`` is what followed DATA, without dot-stuffing."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    def parsed(self) -> Message[str, str]:
        """The message as headers and parts; a malformed one parses as far as it goes."""
        # Not the default policy: it parses headers into objects and fails on malformed ones.
        return BytesParser(policy=compat32).parsebytes(self.raw)


class Mailbox:
    """Messages in the order they came, one file each; the oldest give way when a bound is hit."""

    def __init__(
        self,
        folder: Path,
        *,
        max_messages: int = MAX_MESSAGES,
        max_total_bytes: int = MAX_TOTAL_BYTES,
    ) -> None:
        self._folder = private_folder(folder)
        self._max_messages = max_messages
        self._max_total_bytes = max_total_bytes
        self._mails = {mail.id: mail for mail in _stored(self._folder)}
        self._ids = itertools.count(max(self._mails, default=0) + 1)

    def __iter__(self) -> Iterator[Mail]:
        """Newest first."""
        return reversed(self._mails.values())

    def __len__(self) -> int:
        return len(self._mails)

    def get(self, mail_id: int) -> Mail | None:
        """The message with this id, while it is kept."""
        return self._mails.get(mail_id)

    def add(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> Mail:
        """Keep a message; it is on file when this returns."""
        mail = Mail(next(self._ids), datetime.now(UTC), sender, recipients, raw)
        write_json(
            self._path(mail.id),
            {
                "received_at": mail.received_at.isoformat(),
                "sender": mail.sender,
                "recipients": mail.recipients,
                "raw": base64.b64encode(mail.raw).decode("ascii"),
            },
        )
        self._mails[mail.id] = mail
        while len(self._mails) > 1 and self._over_a_bound():
            self._drop(next(iter(self._mails)))
        return mail

    def clear(self) -> int:
        """Forget all messages; returns how many there were. Ids are not used again."""
        ids = list(self._mails)
        for mail_id in ids:
            self._drop(mail_id)
        return len(ids)

    def _over_a_bound(self) -> bool:
        return (
            len(self._mails) > self._max_messages
            or sum(len(mail.raw) for mail in self._mails.values()) > self._max_total_bytes
        )

    def _drop(self, mail_id: int) -> None:
        del self._mails[mail_id]
        self._path(mail_id).unlink(missing_ok=True)

    def _path(self, mail_id: int) -> Path:
        return self._folder / f"{mail_id:08d}.json"


def _stored(folder: Path) -> Iterator[Mail]:
    for path in sorted(folder.glob("[0-9]*.json")):
        match read_json(path):
            case {
                "received_at": str(received_at),
                "sender": str(sender),
                "recipients": list(recipients),
                "raw": str(raw),
            }:
                yield Mail(
                    int(path.stem),
                    datetime.fromisoformat(received_at),
                    sender,
                    tuple(str(recipient) for recipient in recipients),
                    base64.b64decode(raw),
                )
            case _:
                continue
