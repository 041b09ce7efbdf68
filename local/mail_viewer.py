"""What the mail sink shows: a list, each message as text, and JSON for tests and scripts.

Mail is hostile input: everything is escaped, HTML parts are shown as their source, the policy
header forbids scripts and outside resources, and a foreign ``Host`` is refused (DNS rebinding).
"""

from __future__ import annotations

from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from email.message import Message
from html import escape

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from starlette.middleware.trustedhost import TrustedHostMiddleware

from local.mailbox import Mail, Mailbox

__all__ = ["viewer"]

_MAX_PARTS = 50
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #ddd}pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem}"
)


class MailSummary(BaseModel):
    """One line of the list; times are ISO 8601 in UTC."""

    id: int
    received_at: str
    sender: str
    recipients: list[str]
    subject: str
    size_bytes: int


class MailPart(BaseModel):
    """One leaf of the message; ``text`` is null for what is not text."""

    content_type: str
    filename: str | None
    text: str | None


class MailDetail(MailSummary):
    """The whole message, as received and taken apart."""

    headers: list[tuple[str, str]]
    parts: list[MailPart]
    raw: str


def viewer(mailbox: Mailbox) -> FastAPI:
    """The HTTP side of the mail sink over this mailbox."""
    app = FastAPI(title="Trunkline mail sink", docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    def found(mail_id: int) -> Mail:
        mail = mailbox.get(mail_id)
        if mail is None:
            raise HTTPException(404, f"there is no message {mail_id}")
        return mail

    @app.get("/", response_class=HTMLResponse)
    async def list_page() -> HTMLResponse:
        rows = "".join(_row(summary(mail)) for mail in mailbox)
        none = "" if rows else "<p>Nothing has come in yet.</p>"
        head = "<tr><th>Received</th><th>From</th><th>To</th><th>Subject</th></tr>"
        return _page("Mail", f"<h1>Mail</h1><table>{head}{rows}</table>{none}")

    @app.get("/messages/{mail_id}/view", response_class=HTMLResponse)
    async def message_page(mail_id: int) -> HTMLResponse:
        shown = detail(found(mail_id))
        parts = "".join(
            f"<h2>{escape(part.filename or part.content_type)}</h2>"
            f"<pre>{escape(part.text if part.text is not None else '(not text)')}</pre>"
            for part in shown.parts
        )
        headers = "\n".join(f"{name}: {value}" for name, value in shown.headers)
        return _page(
            shown.subject,
            f'<p><a href="/">All mail</a></p><h1>{escape(shown.subject)}</h1>'
            f"<pre>{escape(headers)}</pre>{parts}"
            f'<p><a href="/messages/{shown.id}/raw">Source</a></p>',
        )

    @app.get("/messages")
    async def list_messages() -> list[MailSummary]:
        return [summary(mail) for mail in mailbox]

    @app.get("/messages/{mail_id}")
    async def get_message(mail_id: int) -> MailDetail:
        return detail(found(mail_id))

    @app.get("/messages/{mail_id}/raw")
    async def get_source(mail_id: int) -> Response:
        return Response(found(mail_id).raw, media_type="text/plain", headers=_HEADERS)

    @app.delete("/messages")
    async def delete_messages() -> dict[str, int]:
        return {"deleted": mailbox.clear()}

    return app


def summary(mail: Mail) -> MailSummary:
    """What the list shows of a message."""
    subject = mail.parsed()["Subject"]
    return MailSummary(
        id=mail.id,
        received_at=mail.received_at.isoformat(),
        sender=mail.sender,
        recipients=list(mail.recipients),
        subject=_decoded(subject) if subject else "(no subject)",
        size_bytes=len(mail.raw),
    )


def detail(mail: Mail) -> MailDetail:
    """All of a message; bytes that are not UTF-8 show as replacement characters."""
    parsed = mail.parsed()
    return MailDetail(
        **summary(mail).model_dump(),
        headers=[(name, _decoded(value)) for name, value in parsed.items()],
        parts=_parts(parsed),
        raw=mail.raw.decode("utf-8", errors="replace"),
    )


def _parts(message: Message[str, str]) -> list[MailPart]:
    parts: list[MailPart] = []
    for part in message.walk():
        if part.is_multipart() or len(parts) == _MAX_PARTS:
            continue
        parts.append(
            MailPart(
                content_type=part.get_content_type(),
                filename=part.get_filename(),
                text=_text(part) if part.get_content_maintype() == "text" else None,
            )
        )
    return parts


def _text(part: Message[str, str]) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        return data.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:
        return data.decode("utf-8", errors="replace")


def _decoded(value: str | Header) -> str:
    """Encoded words (RFC 2047) as text; what cannot be decoded stays as it is on the wire."""
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return str(value)


def _row(shown: MailSummary) -> str:
    cells = (shown.received_at[:19].replace("T", " "), shown.sender, ", ".join(shown.recipients))
    columns = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    link = f'<a href="/messages/{shown.id}/view">{escape(shown.subject)}</a>'
    return f"<tr>{columns}<td>{link}</td></tr>"


def _page(title: str, body: str) -> HTMLResponse:
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><body>{body}",
        headers=_HEADERS,
    )
