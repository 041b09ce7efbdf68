"""A program that checks files as the real one does, and takes sixteen gigabytes for it."""

from __future__ import annotations

from unittest.mock import patch

from papers import checker_main
from papers.checked import CheckedUpload, checked
from papers.file_types import FileType


def swell(data: bytes, name: str) -> CheckedUpload:
    # Zeros that nobody looks at take address space only, which is what is limited.
    held = [bytearray(1 << 30) for _ in range(16)]
    return checked(FileType.PDF, data, len(held), name)


if __name__ == "__main__":
    with patch("papers.checker_main.check_upload", swell):
        checker_main.main()
