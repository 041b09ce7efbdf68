"""Any facts that a test call could have, and such as none has."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from sip.call_facts import CallFacts
from tests.domain.calls import STARTED

__all__ = ["FACTS"]

# What matters is drawn often, by the name of its field.
_WORDS = st.text(max_size=12)
_MS = st.floats(min_value=0, max_value=2_000_000)
_STATUSES = st.sampled_from(
    [100, 180, 183, 200, 302, 400, 401, 403, 404, 407, 408, 480, 484, 486, 487, 488, 500, 503, 603]
) | st.integers(min_value=100, max_value=699)
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "status": _STATUSES,
    "bye_status": st.none() | _STATUSES,
    "method": st.sampled_from(["INVITE", "BYE"]),
    "transport": st.sampled_from(["udp", "tcp", "tls", "sctp"]),
    "why_not": st.sampled_from([None, "no credentials", "realm", "algorithm", "refused again"]),
    "direction": st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive", ""]),
    "failure_reason": st.sampled_from([None, "errno:111", "errno:x", "tls:A_B", "closed"]) | _WORDS,
    "warnings": st.lists(
        st.sampled_from(['399 a "b"', '305 a.b "c", 399 - "d"', "{", '"']) | _WORDS, max_size=2
    ).map(tuple),
    "reasons": st.lists(
        st.sampled_from(['Q.850;cause=17;text="x"', "SIP;cause=200", "Q.850"]) | _WORDS, max_size=2
    ).map(tuple),
    "talk_ms": st.sampled_from([None, 500.0, 1999.0, 3000.0, 32_000.0, 1_800_000.0]) | _MS,
}
_BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: _WORDS,
    bool: st.booleans(),
    int: st.integers(min_value=0, max_value=70_000),
    float: _MS,
    datetime: st.integers(-5000, 5000).map(lambda days: STARTED + timedelta(days=days)),
}


def _any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as the facts are made of."""
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if kind is type(None):
        return st.none()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        parts = {
            each.name: _BY_NAME[each.name] if each.name in _BY_NAME else _any_of(hints[each.name])
            for each in fields(kind)
        }
        make: Callable[..., Any] = typing.cast(Callable[..., Any], kind)
        return st.builds(make, **parts)
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        return st.one_of(*(_any_of(each) for each in arguments))
    if arguments[-1] is Ellipsis:
        return st.lists(_any_of(arguments[0]), max_size=3).map(tuple)
    return st.tuples(*(_any_of(each) for each in arguments))


FACTS: st.SearchStrategy[CallFacts] = _any_of(CallFacts)
"""Any facts whatever, also such as no call brings."""
