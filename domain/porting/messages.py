"""Mails about port orders, as text and HTML.

``compose_notice`` makes a mail of a notice and the facts; nothing secret is in either. The one-time link
of a signer's mail is secret, so what is stored has ``LINK`` in its place, and the link comes in when the
mail is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from domain.alert_words import line
from domain.mail_form import html_of, text_of
from domain.porting.effects import Audience, Notice, NoticeKind
from domain.porting.notice_dates import when
from domain.porting.notice_facts import NoticeFacts
from domain.porting.notice_kinds import words_of
from domain.porting.notice_words import HAPPENED, KEEP, TO_DO, Words
from domain.porting.signature_trail import SignatureAction
from domain.porting.words import SubStatus

__all__ = [
    "LINK",
    "Attachment",
    "MailContent",
    "NoticeText",
    "compose_notice",
    "copy_mail",
    "mail_content",
]

LINK: Final = "\ue000"
"""Stands where the link comes in. No value of others can hold it: ``line`` lets none of the private use
area through."""

_SUBJECT_AT_MOST: Final = 150
_NUMBERS_AT_MOST: Final = 50

_INFO: Final = "#1d4ed8"
_GOOD: Final = "#15803d"
_WARN: Final = "#b45309"
_BAD: Final = "#b91c1c"

_COLOURS: Final = {
    SubStatus.ACTION_REQUIRED: _WARN,
    SubStatus.AWAITING_DOCUMENTS: _WARN,
    SubStatus.COMPLETED: _GOOD,
    SubStatus.PARTIALLY_COMPLETED: _WARN,
    SubStatus.CANCELED: _WARN,
    SubStatus.EXPIRED: _BAD,
    SubStatus.FAILED: _BAD,
}
_TO_SIGN: Final = frozenset({NoticeKind.SIGNATURE_LINK, NoticeKind.SIGNATURE_REMINDER})
_TRAIL: Final = {
    NoticeKind.SIGNATURE_LINK: SignatureAction.LINK_SENT,
    NoticeKind.SIGNATURE_REMINDER: SignatureAction.REMINDER_SENT,
}


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A mail; ``subject`` is one line."""

    subject: str
    text: str
    html: str


class Attachment(BaseModel):
    """A stored document that goes with a mail; ``sha256`` is of its bytes, in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    media_type: str
    stored_key: str
    sha256: str


class MailContent(BaseModel):
    """A mail as it is stored until it is sent (see ``stored``).

    With ``letter`` a one-time link to the order's letter of this revision takes the place of ``LINK``.
    Once the mail was sent, ``trail`` is added to the record of the signature: of the letter ``loa_id``,
    or of the one that the link leads to.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: str
    text: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    letter: int | None = None
    loa_id: str | None = None
    trail: SignatureAction | None = None

    def with_link(self, url: str) -> MailContent:
        """The mail with the link in its place."""
        return self.model_copy(
            update={
                "text": self.text.replace(LINK, url),
                "html": self.html.replace(LINK, escape(url)),
            }
        )

    def stored(self) -> dict[str, Any]:
        """As JSON, without what it does not have."""
        return self.model_dump(mode="json", exclude_defaults=True)


def mail_content(notice: Notice, facts: NoticeFacts, *, letter: int = 0) -> MailContent:
    """The mail of a notice; ``letter`` is the revision of the letter that a signer is to sign."""
    made = compose_notice(notice, facts)
    return MailContent(
        subject=made.subject,
        text=made.text,
        html=made.html,
        letter=letter if notice.kind in _TO_SIGN else None,
        trail=_TRAIL.get(notice.kind),
    )


def compose_notice(notice: Notice, facts: NoticeFacts) -> NoticeText:
    """The mail of a notice; that to a signer has ``LINK`` where the link comes in."""
    words = words_of(notice, facts)
    for_desk = notice.audience is Audience.OPERATOR
    links = [LINK] if notice.kind in _TO_SIGN else []
    if notice.audience is not Audience.SIGNER and facts.links.order is not None:
        links.append(facts.links.order)
    colour = _COLOURS.get(notice.status, _INFO) if notice.kind is NoticeKind.STATUS else _INFO
    return _made(
        words,
        facts.reference or facts.order_id,
        _facts(facts, for_desk=for_desk, for_signer=notice.audience is Audience.SIGNER),
        [each.number for each in facts.numbers],
        links,
        colour,
    )


def copy_mail(
    *, order_id: str, signer: str, numbers: Sequence[str], signed_at: datetime, sha256: str
) -> NoticeText:
    """The mail that brings the signed letter to who signed it."""
    words = Words(
        "Your signed letter of authorization",
        (
            (
                HAPPENED,
                (
                    "The letter was signed electronically. It is attached, sealed, with the record of "
                    "the signature behind it.",
                ),
            ),
            (TO_DO, ("Keep it. On request you are sent it on paper, at no charge.", KEEP)),
        ),
    )
    rows = [
        ("Signed by", line(signer)),
        ("Signed at", when(signed_at, "UTC")),
        ("SHA-256", sha256),
        ("Order", order_id),
    ]
    return _made(words, order_id, rows, numbers, [], _GOOD)


def _made(
    words: Words,
    named: str,
    rows: Sequence[tuple[str, str]],
    numbers: Sequence[str],
    links: Sequence[str],
    colour: str,
) -> NoticeText:
    listed = list(numbers[:_NUMBERS_AT_MOST])
    if len(numbers) > len(listed):
        listed.append(f"and {len(numbers) - len(listed)} more")
    # Names and carriers' words stand in sentences too; a line is a line whoever wrote it.
    parts = [(title, [line(each, _LINE) for each in lines]) for title, lines in words.parts]
    if listed:
        parts.append((f"Numbers ({len(numbers)})", listed))
    return NoticeText(
        subject=line(f"{words.headline} ({named})", _SUBJECT_AT_MOST),
        text=text_of(words.headline, rows, parts, links),
        html=html_of(words.headline, rows, parts, links, colour),
    )


_LINE: Final = 1000
"""Characters; longer than any sentence of ours."""


def _facts(facts: NoticeFacts, *, for_desk: bool, for_signer: bool) -> list[tuple[str, str]]:
    rows = [
        ("Order", facts.order_id),
        ("Your reference", facts.reference or ""),
        ("Name on the account", facts.account_name),
        ("Present carrier", facts.losing_carrier),
        ("Confirmed date", "" if facts.foc_at is None else when(facts.foc_at, facts.zone)),
    ]
    if for_desk:
        at = facts.at.astimezone(UTC)
        rows += [
            ("Organization", facts.org_id),
            ("Order at the winning carrier", facts.carrier_order_id or ""),
            ("At", when(at, "UTC")),
        ]
    elif for_signer:
        rows = [row for row in rows if row[0] != "Your reference"]
    return [(name, line(value)) for name, value in rows if value]
