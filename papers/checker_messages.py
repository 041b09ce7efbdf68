"""What is said between a server and the program that checks one file for it.

A question is the length of its head, four bytes, the head as JSON, and the file. An answer is ``READY``,
then the same with the bytes to store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from papers.checked import CheckedUpload
from papers.file_types import FileType

__all__ = ["READY", "Answer", "Question"]

READY: Final = b"READY\n"
"""Said when the program runs and before it looks at the file: what ends it later is the file's doing."""

_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Question:
    """A file and what to check it as."""

    data: bytes = field(repr=False)
    name: str = ""
    is_drawing: bool = False

    def written(self) -> bytes:
        """As the program reads it."""
        return _framed({"name": self.name, "is_drawing": self.is_drawing}, self.data)

    @classmethod
    def read(cls, stream: BinaryIO) -> Question:
        """All that the stream has."""
        head, data = _unframed(stream.read())
        return cls(data, str(head["name"]), bool(head["is_drawing"]))


@dataclass(frozen=True, slots=True)
class Answer:
    """The document, or why it is refused and what that came of."""

    checked: CheckedUpload | None = None
    refused: str = ""
    detail: str = ""

    def write(self, stream: BinaryIO) -> None:
        """As the server reads it."""
        if self.checked is None:
            stream.write(_framed({"refused": self.refused, "detail": self.detail}, b""))
            return
        head = {
            "media_type": self.checked.media_type,
            "sha256": self.checked.sha256,
            "pages": self.checked.pages,
            "name": self.checked.name,
        }
        stream.write(_framed(head, self.checked.data))

    @classmethod
    def read(cls, said: bytes) -> Answer:
        """What was said after ``READY``. Raises ``ValueError`` when that is no answer."""
        head, data = _unframed(said)
        if "refused" in head:
            return cls(refused=str(head["refused"]), detail=str(head["detail"]))
        return cls(
            CheckedUpload(
                FileType(str(head["media_type"])),
                data,
                str(head["sha256"]),
                int(str(head["pages"])),
                str(head["name"]),
            )
        )


def _framed(head: dict[str, object], data: bytes) -> bytes:
    written = json.dumps(head).encode("ascii")
    return len(written).to_bytes(_LENGTH, "big") + written + data


def _unframed(frame: bytes) -> tuple[dict[str, object], bytes]:
    end = _LENGTH + int.from_bytes(frame[:_LENGTH], "big")
    if len(frame) < max(end, _LENGTH):
        raise ValueError("a frame was cut")
    head = json.loads(frame[_LENGTH:end])
    if not isinstance(head, dict):
        raise ValueError("a frame without a head")
    return head, frame[end:]
