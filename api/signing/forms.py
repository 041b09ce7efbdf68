"""What was sent with a form: few short fields, of a kind that a page of ours can send."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

__all__ = ["MAX_DRAWING", "BadForm", "drawing_of", "fields_of", "text_of"]

MAX_DRAWING: Final = 200_000
"""Bytes of a drawn signature; one of a large canvas has 40,000."""

_TYPE: Final = "application/x-www-form-urlencoded"
_MAX_FIELDS: Final = 12
_PNG: Final = "data:image/png;base64,"


class BadForm(Exception):
    """No page of ours sends this."""


async def fields_of(request: Request) -> Mapping[str, str]:
    """The fields, of several with one name the last. Raises ``BadForm``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if not body:
        return {}
    if kind != _TYPE:
        raise BadForm("the form has another content type")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise BadForm("the form cannot be read") from error
    return dict(pairs)


def text_of(fields: Mapping[str, str], name: str, longest: int) -> str:
    """A field as one line, cut to its length; what is no character of a text becomes a space."""
    text = fields.get(name, "")
    plain = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(plain.split())[:longest]


def drawing_of(fields: Mapping[str, str]) -> bytes | None:
    """The drawn signature as it was sent, which may be no picture; ``None`` when nothing was drawn.

    Raises ``BadForm``.
    """
    url = fields.get("drawing", "")
    if not url:
        return None
    # Three bytes are four characters.
    if not url.startswith(_PNG) or len(url) > MAX_DRAWING * 4 // 3 + len(_PNG):
        raise BadForm("the drawing is no PNG, or too large")
    try:
        return base64.b64decode(url.removeprefix(_PNG), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadForm("the drawing cannot be read") from error
