"""Header mappings applied: variables from the headers of a call, headers from its variables.

Sources: public contract 3.7 (roles, automatic variables, wire examples), RFC 7433 section 4.1
(grammar of the User-to-User header).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from domain.header_mappings import (
    CustomMapping,
    HeaderMapping,
    HeaderMappings,
    UuiEncoding,
    UuiMapping,
    is_ours,
)
from domain.trunk import Direction

__all__ = ["RESERVED", "USER_TO_USER", "headers_from", "mappings_of", "variables_from"]

USER_TO_USER: Final = "User-to-User"

RESERVED: Final = frozenset(
    {
        "call_id",
        "phone_number",
        "from_number",
        "caller_id",
        "destination_number",
        "call_duration",
        "call_status",
    }
)
"""Variables of the call itself: no header sets them."""

MAX_VALUE: Final = 1024
MAX_AUTOMATIC: Final = 64
_AUTOMATIC: Final = {
    "p-asserted-identity": "sip_header_x-original-pai",
    "remote-party-id": "sip_header_x-original-rpid",
    "diversion": "sip_header_x-original-diversion",
}
_QUOTED = r'"(?:[^"\\]|\\.)*"'
# One value with its parameters; a comma inside quotes does not end it.
_UUI_VALUE = re.compile(rf"(?:{_QUOTED}|[^,\"])+")
_UUI_PART = re.compile(rf"(?:{_QUOTED}|[^;\"])+")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def mappings_of(
    stored: Mapping[str, Any] | None, direction: Direction
) -> tuple[HeaderMapping, ...]:
    """The mappings of a trunk's stored ``headers`` for one direction.

    A flat map gives fixed values in both directions. What does not validate is none, because a
    call goes on without a mapping rather than not at all.
    """
    if not stored:
        return ()
    if isinstance(stored.get("headers"), list | tuple):
        try:
            mappings = HeaderMappings.model_validate(stored)
        except ValueError:
            return ()
        return mappings.headers if mappings.direction is direction else ()
    return tuple(
        CustomMapping(type="custom", key=key, value=str(value), passthrough=True)
        for key, value in stored.items()
    )


def variables_from(
    headers: Iterable[tuple[str, str]], mappings: Iterable[HeaderMapping]
) -> dict[str, str]:
    """Variables of an inbound call, from the header fields of its INVITE as they were written.

    Names of mapped headers match exactly, case included; of several fields with one name the first
    counts. A reserved variable is never set. Mapped variables win over automatic ones.
    """
    fields = list(headers)
    first: dict[str, str] = {}
    for name, text in fields:
        first.setdefault(name, text)
    variables = dict(_automatic(fields))
    for mapping in mappings:
        value: str | None
        if isinstance(mapping, UuiMapping):
            target, value = mapping.target, _received_uui(fields, mapping)
        elif mapping.passthrough:
            target, value = mapping.key, mapping.value
        else:
            target, value = mapping.value, first.get(mapping.key)
        if value is not None and target and target not in RESERVED:
            variables[target] = value[:MAX_VALUE]
    return variables


def headers_from(
    variables: Mapping[str, str], mappings: Iterable[HeaderMapping]
) -> tuple[tuple[str, str], ...]:
    """Header fields of an outbound call, in the order of the mappings.

    A variable that is not there or empty sends no header. Values are one line without control
    characters, so that none can bring a header of its own.
    """
    made: list[tuple[str, str]] = []
    for mapping in mappings:
        value: str | None
        if isinstance(mapping, UuiMapping):
            name, value = USER_TO_USER, _uui_to_send(variables.get(mapping.target), mapping)
        elif mapping.passthrough:
            name, value = mapping.key, mapping.value
        else:
            name, value = mapping.value, variables.get(mapping.key)
        if value is None or _TOKEN.fullmatch(name) is None or is_ours(name):
            continue
        line = _one_line(value)
        if line:
            made.append((name, line))
    return tuple(made)


def _automatic(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name, value in fields:
        lower = name.lower()
        variable = _AUTOMATIC.get(lower) or (
            f"sip_header_{lower}" if lower.startswith("x-") else None
        )
        if variable is not None and variable not in seen and len(seen) < MAX_AUTOMATIC:
            seen.add(variable)
            yield variable, value[:MAX_VALUE]


def _received_uui(fields: Iterable[tuple[str, str]], mapping: UuiMapping) -> str | None:
    """The first User-to-User value with the mapping's purpose that can be decoded."""
    for name, text in fields:
        if name.lower() != USER_TO_USER.lower():
            continue
        for value in _UUI_VALUE.findall(text):
            data, *parameters = (part.strip() for part in _UUI_PART.findall(value))
            purpose = next(_parameters(parameters, "purpose"), None)
            if purpose is not None and purpose.lower() == mapping.purpose.lower():
                decoded = _decoded(_unquoted(data), mapping.encoding)
                if decoded is not None:
                    return decoded
    return None


def _parameters(parts: Iterable[str], wanted: str) -> Iterator[str]:
    for part in parts:
        name, _, value = part.partition("=")
        if name.strip().lower() == wanted:
            yield _unquoted(value.strip())


def _decoded(data: str, encoding: UuiEncoding) -> str | None:
    if encoding is UuiEncoding.ASCII:
        return data
    if _HEX.fullmatch(data) is None:
        return None
    return bytes.fromhex(data).decode("utf-8", "replace")


def _uui_to_send(value: str | None, mapping: UuiMapping) -> str | None:
    if not value:
        return None
    if mapping.encoding is UuiEncoding.HEX:
        data = value.encode("utf-8", "replace").hex()
    else:
        line = _one_line(value)
        data = line if _TOKEN.fullmatch(line) else _quoted(line)
    return (
        f"{data};encoding={mapping.encoding.value}"
        f";purpose={mapping.purpose};content={mapping.content}"
    )


def _one_line(value: str) -> str:
    return _CONTROL.sub(" ", value).strip()[: 2 * MAX_VALUE]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
