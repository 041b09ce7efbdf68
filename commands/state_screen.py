"""A plan in the terminal: what is added, changed and taken away, field by field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text

__all__ = ["plan_lines"]

MAX_VALUE: Final = 72
MAX_NUMBERS: Final = 5
MARK: Final = "********"

_SIGNS: Final = {
    "create": ("+", "green"),
    "attach": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "detach": ("-", "red"),
}


def plan_lines(changes: list[dict[str, Any]]) -> Iterator[Text]:
    """The changes as the API tells them, and their sum."""
    if not changes:
        yield Text("Nothing differs.")
        return
    counts: Counter[str] = Counter()
    for change in changes:
        sign, colour = _SIGNS[change["action"].partition(".")[2]]
        numbers = change.get("phone_numbers")
        counts[sign] += 1 if numbers is None else len(numbers)
        yield Text(f"{sign} {_subject(change)}", style=f"bold {colour}")
        width = max((len(each["field"]) for each in change["fields"]), default=0)
        for each in change["fields"]:
            yield Text(f"    {each['field']:<{width}}  {_values(each)}", style=_colour(each))
    yield Text("")
    yield Text(f"{counts['+']} to add, {counts['~']} to change, {counts['-']} to take away.")


def _subject(change: dict[str, Any]) -> str:
    numbers = change.get("phone_numbers")
    if numbers is None:
        return f"trunk {_one_line(change['trunk'])}"
    shown = ", ".join(numbers[:MAX_NUMBERS])
    more = len(numbers) - MAX_NUMBERS
    return f"{change['direction']} {shown}" + (f" and {more} more" if more > 0 else "")


def _values(field: dict[str, Any]) -> str:
    before, after = field["before"], field["after"]
    if before is None:
        return _value(after)
    if after is None:
        return f"{_value(before)} -> (none)"
    if before == after == MARK:
        return "another password"
    return f"{_value(before)} -> {_value(after)}"


def _colour(field: dict[str, Any]) -> str:
    if field["before"] is None:
        return "green"
    return "red" if field["after"] is None else "yellow"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _one_line(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "..."


def _one_line(text: str) -> str:
    """Text from outside must not move the cursor."""
    line = "".join(each if each.isprintable() else " " for each in text[: MAX_VALUE + 1])
    return line if len(text) <= MAX_VALUE else line[:MAX_VALUE] + "..."
