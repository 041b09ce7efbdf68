"""What a person sees while a call runs: the ladder as it grows, and the last thing that happened."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from commands.call_ladder import ASCII, LINES, TerminalLadder
from domain.trace import TraceReader
from sip.call_facts import CallFacts
from sip.capture import CapturedMessage

__all__ = ["CallScreen"]

_HEAD = 2
_BELOW = 3
"""Lines that the ladder's head, and what stands below the ladder, need of a terminal."""


class CallScreen:
    """Draws into a terminal while the block lasts; elsewhere it writes the whole ladder at its end.

    ``message`` and ``happened`` take what is new, ``finish`` what the media came to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._reader = TraceReader()
        self._ladder = TerminalLadder(ASCII if console.options.ascii_only else LINES)
        self._status = "Looking for the destination"
        self._over = False
        self._live = Live(console=console, auto_refresh=False, get_renderable=self._frame)

    def __enter__(self) -> CallScreen:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over = True
        self._live.stop()

    def message(self, message: CapturedMessage) -> None:
        """Draw one more message."""
        self._ladder.add(self._reader.read(message))
        self._live.refresh()

    def happened(self, what: str) -> None:
        """Say what happened, in place of what was said before."""
        self._status = what
        self._live.refresh()

    def finish(self, facts: CallFacts) -> None:
        """Add what is known at the end only."""
        self._ladder.media = facts.media

    def _frame(self) -> Group:
        lines = self._ladder.lines(self._console.width)
        if self._over:
            # In a file nothing moves to the next line after the last frame.
            return Group(*lines, *(() if self._console.is_terminal else (Text(),)))
        # The newest messages matter; a terminal that is too low shows the head and them.
        room = max(1, self._console.height - _HEAD - _BELOW)
        body = lines[_HEAD:][-room:]
        return Group(*lines[:_HEAD], *body, Text(), Text(f"{self._status} ...", style="italic"))
