"""The program that checks one file and ends: ``python -m papers.checker_main``.

It reads from standard input what ``Question.write`` writes and answers on standard output what
``Answer.read`` reads. Before it looks at the file it takes from itself what a parser that a file has
taken over would use: memory, time, files to write, core dumps.
"""

from __future__ import annotations

import resource
import sys
from typing import Final

from papers.checker_messages import READY, Answer, Question
from papers.checking import check_drawing, check_upload
from papers.errors import InvalidFile

__all__ = ["CPU_SECONDS", "MEMORY_BYTES", "main"]

MEMORY_BYTES: Final = 1024 * 1024 * 1024
"""Address space: the interpreter with its libraries, and the largest picture that is taken, twice."""

CPU_SECONDS: Final = 15
"""The largest that are taken need two."""


def main() -> None:
    """Answer the one question."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    question = Question.read(sys.stdin.buffer)
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    try:
        checked = (
            check_drawing(question.data)
            if question.is_drawing
            else check_upload(question.data, question.name)
        )
    except InvalidFile as error:
        answer = Answer(refused=str(error), detail=error.detail)
    else:
        answer = Answer(checked=checked)
    answer.write(sys.stdout.buffer)


if __name__ == "__main__":
    main()
