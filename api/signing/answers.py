"""The page with the letter, what is wrong with a form, and pages of links that lead no further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from starlette.responses import Response

from api.signing.letters import OpenedLink, Standing, signer_of
from api.signing.pages import page
from domain.porting.loa_text import LoaContent
from domain.porting.signature_links import form_proof, is_same_name
from papers.errors import UnprintableText
from papers.typeface import printed

__all__ = ["SignForm", "ended", "signing_page"]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SignForm:
    """What was filled in."""

    typed: str = field(default="", repr=False)
    consent: bool = False
    intent: bool = False
    drawing: bytes | None = field(default=None, repr=False)

    def problems(self, content: LoaContent) -> dict[str, str]:
        """What is wrong, by field, and what to change."""
        found = {}
        if not self.consent:
            found["consent"] = (
                "Tick this to agree to sign electronically, or ask for the letter on paper."
            )
        if not self.typed and self.drawing is None:
            found["name"] = "Type your name, or draw your signature."
        elif self.typed:
            found.update(_name_problem(self.typed, signer_of(content)))
        if not self.intent:
            found["intent"] = "Tick this to say that you intend to sign."
        return found


def _name_problem(typed: str, signer: str) -> dict[str, str]:
    if not is_same_name(typed, signer):
        return {
            "name": f"The letter is for {signer}. Type that name. If somebody else has to sign, decline "
            "and say who, or ask the company that placed the order to change it."
        }
    try:
        printed("Your name", typed)
    except UnprintableText as error:
        return {"name": f"{error}."}
    return {}


def signing_page(
    opened: OpenedLink,
    token: str,
    key: bytes,
    now: datetime,
    form: SignForm | None = None,
    *,
    problems: Mapping[str, str] = _NOTHING,
    stale: bool = False,
) -> Response:
    """The page with the letter and the form; with ``problems`` or when the form is ``stale``, 400."""
    return page(
        "letter",
        status=400 if problems or stale else 200,
        letter=opened.content,
        loa=opened.loa,
        link=opened.link,
        signer=signer_of(opened.content),
        token=token,
        proof=form_proof(key, opened.shown, now),
        form=form or SignForm(),
        problems=problems,
        stale=stale,
    )


def ended(opened: OpenedLink | None, token: str) -> Response:
    """A link that leads no further: why, and what to do."""
    if opened is None:
        return page("unknown", status=404)
    standing = opened.standing
    if standing in (Standing.SIGNED, Standing.DECLINED):
        return page("used", status=410, opened=opened, token=token)
    name = {Standing.EXPIRED: "expired", Standing.REPLACED: "replaced"}.get(standing, "closed")
    return page(name, status=410, order_id=opened.order.id)
