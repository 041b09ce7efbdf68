"""Templates of the letter of authorization: the operator's file, read and checked.

The law behind the text may change, so the text is data with a version, and each signature names the
version it was given under. Words in braces are filled in; which ones may stand there is ``PLACES``.
"""

from __future__ import annotations

import tomllib
from string import Formatter
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

__all__ = [
    "PLACES",
    "DisclosureTemplate",
    "InvalidTemplate",
    "LetterTemplate",
    "LoaTemplate",
    "SignatureTemplate",
    "parse_template",
]

PLACES: Final = frozenset(
    {
        "agent",
        "contact",
        "link_days",
        "losing_carrier",
        "name",
        "order_id",
        "signer",
        "winning_carrier",
    }
)
"""What may stand in braces."""

MAX_TEXT: Final = 20_000
"""Characters of one text: a letter has some pages at most."""


class InvalidTemplate(ValueError):
    """The operator's file is no template; ``str`` says where and what to change."""


def _checked(text: str) -> str:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{error}; write a brace that is to be printed twice") from error
    for _, place, form, conversion in parts:
        if place is None:
            continue
        if place not in PLACES or form or conversion:
            raise ValueError(
                f"{{{place}}} cannot be filled in; known are {', '.join(sorted(PLACES))}"
            )
    return text.strip()


_Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_checked)]
_Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LetterTemplate(_Part):
    """The letter of one kind of port."""

    title: _Text
    numbers_title: _Text
    text: _Text


class SignatureTemplate(_Part):
    """What the signer states by signing."""

    statement: _Text


class DisclosureTemplate(_Part):
    """What is shown before consent is asked for (15 U.S.C. 7001(c)), and the consent."""

    version: _Version
    title: _Text
    text: _Text
    consent: _Text


class LoaTemplate(_Part):
    """A template file."""

    version: _Version
    local: LetterTemplate
    toll_free: LetterTemplate
    signature: SignatureTemplate
    disclosure: DisclosureTemplate


def parse_template(text: str) -> LoaTemplate:
    """Read a template file. Raises ``InvalidTemplate``."""
    try:
        return LoaTemplate.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidTemplate(f"not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidTemplate(f"{where}: {first['msg']}") from error
