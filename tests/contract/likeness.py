"""Whether an answer is the one that the contract shows: its keys, its JSON types, its values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

__all__ = ["differences", "found_at"]

_KINDS: Final = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}
ABSENT: Final = object()


def differences(
    shown: Any, answered: Any, varies: Collection[str] = (), at: str = ""
) -> Iterator[str]:
    """Where ``answered`` is not what the contract shows, as texts.

    Keys beside those shown are allowed. At the paths in ``varies`` only the JSON type counts, and a
    null that is shown there may be a value by now. A string that shows a time stands for any time in
    UTC.
    """
    if shown is None and at in varies:
        return
    if _KINDS[type(shown)] != _KINDS[type(answered)]:
        yield f"{at}: {answered!r} is no {_KINDS[type(shown)]}"
    elif at in varies:
        return
    elif isinstance(shown, dict):
        for name, inner in shown.items():
            place = f"{at}.{name}" if at else name
            if name in answered:
                yield from differences(inner, answered[name], varies, place)
            else:
                yield f"{place}: is missing"
    elif isinstance(shown, list):
        if len(shown) != len(answered):
            yield f"{at}: has {len(answered)} entries instead of {len(shown)}"
        for index, (inner, other) in enumerate(zip(shown, answered, strict=False)):
            yield from differences(inner, other, varies, f"{at}.{index}")
    elif _time(shown) is not None:
        if _time(answered) is None:
            yield f"{at}: {answered!r} is no time in UTC"
    elif shown != answered:
        yield f"{at}: {answered!r} instead of {shown!r}"


def found_at(answered: Any, path: str) -> Any:
    """What an answer holds at a path such as ``data.failed.0.message``, or ``ABSENT``."""
    for part in path.split("."):
        if isinstance(answered, list):
            answered = answered[int(part)]
        elif part in answered:
            answered = answered[part]
        else:
            return ABSENT
    return answered


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str) or not value.endswith("Z"):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.utcoffset() == timedelta(0) else None
