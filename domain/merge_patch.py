"""JSON Merge Patch (RFC 7396): a change of a JSON object that names only what becomes different."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["merge_patch"]


def merge_patch(present: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``present`` changed by ``patch``: objects are merged, ``None`` takes a member away, everything
    else replaces. Neither argument is changed (RFC 7396 section 2)."""
    merged = dict(present)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            inner = merged.get(name)
            merged[name] = merge_patch(inner if isinstance(inner, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
