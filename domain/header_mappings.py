"""Header mappings of a number or a trunk: SIP headers to variables and back (contract 3.7).

Sources: public contract 3.7 (roles of ``key`` and ``value`` are swapped outbound), RFC 7433 (the
User-to-User header), RFC 3261 25.1 (header names are tokens).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from domain.trunk import Direction

__all__ = [
    "MAX_MAPPINGS",
    "CustomMapping",
    "HeaderMapping",
    "HeaderMappings",
    "UuiEncoding",
    "UuiMapping",
    "flat_problem",
    "is_ours",
]

MAX_MAPPINGS: Final = 15
MAX_NAME: Final = 128
MAX_VALUE: Final = 1024

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_UUI_PARAMETER = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")

# Headers that make a request what it is: a mapping that could write one could redirect or break it.
# fmt: off
_OURS = frozenset({
    "via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "contact", "m", "max-forwards",
    "route", "record-route", "content-length", "l", "content-type", "c", "content-encoding", "e",
    "content-disposition", "content-language", "mime-version", "authorization",
    "proxy-authorization", "www-authenticate", "proxy-authenticate", "require", "proxy-require",
    "supported", "k", "unsupported", "allow", "accept", "accept-encoding", "accept-language",
    "expires", "min-expires", "min-se", "session-expires", "x", "rack", "rseq", "refer-to", "r",
    "referred-by", "b", "replaces", "event", "o", "subscription-state", "path", "service-route",
    "security-client", "security-server", "security-verify", "p-asserted-identity",
    "p-preferred-identity", "identity", "user-agent", "server", "date", "timestamp",
})
# fmt: on


def is_ours(name: str) -> bool:
    """Whether this header is written by the stack alone."""
    return name.lower() in _OURS


def flat_problem(headers: Mapping[str, str]) -> str | None:
    """What is wrong with a flat map of header names to fixed values (contract 7.1), if anything."""
    if len(headers) > MAX_MAPPINGS:
        return f"at most {MAX_MAPPINGS} headers"
    for name, value in headers.items():
        if _TOKEN.fullmatch(name) is None or len(name) > MAX_NAME:
            return "every key must be the name of a SIP header"
        if is_ours(name):
            return f"{name} is written by Trunkline itself"
        try:
            _literal(value)
        except ValueError as error:
            return f"the value of {name} {error}"
    return None


def _name(text: str) -> str:
    if not text or len(text) > MAX_NAME:
        raise ValueError(f"must have 1 to {MAX_NAME} characters")
    if not text.isprintable():
        raise ValueError("must not hold control characters")
    return text


def _literal(text: str) -> str:
    if len(text) > MAX_VALUE:
        raise ValueError(f"must have at most {MAX_VALUE} characters")
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("must not hold control characters")
    return text


def _parameter(text: str) -> str:
    if _UUI_PARAMETER.fullmatch(text) is None or len(text) > MAX_NAME:
        raise ValueError("must be a token: letters, digits and -.!%*_+`'~")
    return text


Name = Annotated[str, AfterValidator(_name)]
Parameter = Annotated[str, AfterValidator(_parameter)]


class _Mapping(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class UuiEncoding(StrEnum):
    """How a User-to-User value is written on the wire."""

    HEX = "hex"
    ASCII = "ascii"


class CustomMapping(_Mapping):
    """One header and one variable, or with ``passthrough`` a fixed value.

    Inbound: header ``key`` to variable ``value``; passthrough sets variable ``key`` to ``value``.
    Outbound: variable ``key`` to header ``value``; passthrough sends header ``key`` with ``value``.
    """

    type: Literal["custom"]
    key: Name
    value: Annotated[str, AfterValidator(_literal)]
    passthrough: bool = Field(default=False, strict=True)


class UuiMapping(_Mapping):
    """A User-to-User header and the variable ``target``."""

    type: Literal["uui"]
    target: Name
    purpose: Parameter
    encoding: UuiEncoding
    content: Parameter


HeaderMapping = Annotated[CustomMapping | UuiMapping, Field(discriminator="type")]


class HeaderMappings(_Mapping):
    """The ``headers`` object: a new one replaces the old one, an empty list clears it."""

    direction: Direction
    headers: Annotated[tuple[HeaderMapping, ...], Field(max_length=MAX_MAPPINGS)]

    @field_validator("headers", mode="before")
    @classmethod
    def _is_a_list(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return value
        raise ValueError("must be a list")

    @model_validator(mode="after")
    def _names_headers(self) -> Self:
        for index, each in enumerate(self.headers):
            if not isinstance(each, CustomMapping):
                continue
            field = self._header_field(each)
            if field is None:
                continue
            place = f"headers.{index}.{field}"
            name = str(getattr(each, field))
            if _TOKEN.fullmatch(name) is None or len(name) > MAX_NAME:
                raise _refused(place, "must be the name of a SIP header")
            if self.direction is Direction.OUTBOUND and is_ours(name):
                raise _refused(place, f"{name} is written by Trunkline itself")
        return self

    def _header_field(self, mapping: CustomMapping) -> str | None:
        """Which field names the SIP header."""
        if self.direction is Direction.INBOUND:
            return None if mapping.passthrough else "key"
        return "key" if mapping.passthrough else "value"


def _refused(place: str, message: str) -> PydanticCustomError:
    # The text is a template; what came from outside goes in as a value.
    return PydanticCustomError("mapping", "{text}", {"text": message, "place": place})
