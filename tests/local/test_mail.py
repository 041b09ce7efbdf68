"""The mail sink: real SMTP in, HTML and JSON out."""

from __future__ import annotations

import asyncio
import smtplib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.mail_viewer import detail
from local.mailbox import MAX_MESSAGE_BYTES, Mail, Mailbox
from local.parts import LOOPBACK, Programs
from local.ports import Wanted, claim_ports
from local.process import ManagedProcess


@dataclass(frozen=True)
class Sink:
    """The running sink: where it takes mail and where it shows it."""

    smtp_port: int
    http: httpx.AsyncClient
    process: ManagedProcess

    async def send(self, message: EmailMessage) -> None:
        await asyncio.to_thread(self._send, message)

    def _send(self, message: EmailMessage) -> None:
        with smtplib.SMTP(LOOPBACK, self.smtp_port, timeout=10) as client:
            assert client.send_message(message) == {}


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[Sink]:
    (tmp_path / "log").mkdir()
    ports = claim_ports([Wanted("smtp", LOOPBACK, 0), Wanted("http", LOOPBACK, 0)])
    programs = Programs(tmp_path, {"PATH": "/usr/bin:/bin"})
    process = ManagedProcess(programs.mail(smtp_port=ports["smtp"], http_port=ports["http"]))
    await process.start()
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{ports['http']}") as http:
        yield Sink(ports["smtp"], http, process)
    await process.stop()
    assert await process.ended() == "exit code 0"


def _alert() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "alerts@trunkline.example"
    message["To"] = "Ops <ops@customer.example>"
    message["Subject"] = "Trunk Zürich is <down>"
    message.set_content("No answer since 12:00: <script>alert(1)</script>\n.\nend\n")
    message.add_alternative("<b>No answer</b>", subtype="html")
    message.add_attachment(b"\x00\x01", maintype="application", subtype="pdf", filename="a.pdf")
    return message


async def test_a_sent_message_is_listed_and_shown_in_parts_and_raw(sink: Sink) -> None:
    await sink.send(_alert())
    [listed] = (await sink.http.get("/messages")).json()
    assert listed["subject"] == "Trunk Zürich is <down>"
    assert listed["sender"] == "alerts@trunkline.example"
    assert listed["recipients"] == ["ops@customer.example"]
    shown = (await sink.http.get(f"/messages/{listed['id']}")).json()
    assert [part["content_type"] for part in shown["parts"]] == [
        "text/plain",
        "text/html",
        "application/pdf",
    ]
    assert shown["parts"][0]["text"].splitlines()[1:] == [".", "end"]
    assert shown["parts"][2] == {
        "content_type": "application/pdf",
        "filename": "a.pdf",
        "text": None,
    }
    raw = await sink.http.get(f"/messages/{listed['id']}/raw")
    assert raw.text == shown["raw"]
    assert raw.headers["content-type"].startswith("text/plain")


async def test_pages_show_hostile_mail_as_text_only(sink: Sink) -> None:
    await sink.send(_alert())
    for path in ("/", "/messages/1/view"):
        page = await sink.http.get(path)
        assert "Trunk Zürich is &lt;down&gt;" in page.text
        assert "<script" not in page.text
        assert "<b>" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_deleting_empties_the_list(sink: Sink) -> None:
    await sink.send(_alert())
    await sink.send(_alert())
    assert (await sink.http.delete("/messages")).json() == {"deleted": 2}
    assert (await sink.http.get("/messages")).json() == []
    assert (await sink.http.get("/messages/1")).status_code == 404


async def test_messages_outlive_the_sink(sink: Sink) -> None:
    await sink.send(_alert())
    sink.process.kill()
    await sink.process.ended()
    await sink.process.start()
    assert [mail["id"] for mail in (await sink.http.get("/messages")).json()] == [1]


async def test_a_page_of_another_name_cannot_read_mail(sink: Sink) -> None:
    answer = await sink.http.get("/messages", headers={"Host": "rebound.example"})
    assert answer.status_code == 400


async def test_a_message_over_the_size_limit_is_refused_by_smtp(sink: Sink) -> None:
    big = _alert().as_bytes() + (b"\r\n" + b"z" * 70) * (MAX_MESSAGE_BYTES // 70)

    def send() -> None:
        with smtplib.SMTP(LOOPBACK, sink.smtp_port, timeout=20) as client:
            client.sendmail("a@x.example", ["b@y.example"], big)

    with pytest.raises(smtplib.SMTPResponseException) as refusal:
        await asyncio.to_thread(send)
    assert refusal.value.smtp_code == 552
    assert (await sink.http.get("/messages")).json() == []


async def test_the_hundred_and_first_recipient_is_put_off(sink: Sink) -> None:
    recipients = [f"r{number}@y.example" for number in range(101)]

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP(LOOPBACK, sink.smtp_port, timeout=10) as client:
            return client.sendmail("a@x.example", recipients, b"Subject: x\r\n\r\nx\r\n")

    assert await asyncio.to_thread(send) == {"r100@y.example": (452, b"Too many recipients")}


def test_the_oldest_messages_give_way_to_new_ones(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path, max_messages=3)
    for number in range(5):
        mailbox.add("a@x.example", (f"{number}@y.example",), b"x")
    assert [mail.id for mail in mailbox] == [5, 4, 3]
    assert [mail.id for mail in Mailbox(tmp_path)] == [5, 4, 3]


def test_the_oldest_messages_give_way_when_all_get_too_large(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path, max_total_bytes=250)
    for _ in range(4):
        mailbox.add("a@x.example", ("b@y.example",), b"x" * 100)
    assert [mail.id for mail in mailbox] == [4, 3]


def test_a_damaged_message_file_is_passed_over(tmp_path: Path) -> None:
    Mailbox(tmp_path).add("a@x.example", ("b@y.example",), b"x")
    (tmp_path / "00000002.json").write_text("{")
    assert [mail.id for mail in Mailbox(tmp_path)] == [1]


_LINES = st.sampled_from(
    [
        b"Subject: =?utf-8?q?=FF?= =?x-none?b?!!?=",
        b"Subject: =?utf-8?b?A?=",
        b"From: <<>>@,;",
        b"To: \xff\xfe",
        b'Content-Type: multipart/mixed; boundary="b"',
        b"Content-Type: text/plain; charset=x-none",
        b"Content-Type: text/plain; charset*=x'y'%zz",
        b"Content-Type: message/rfc822",
        b"Content-Disposition: attachment; filename*0*=x''%41; filename*1=\xff",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: uuencode",
        b"--b",
        b"--b--",
        b"",
        b"====",
    ]
)


@settings(max_examples=200)
@given(st.lists(_LINES | st.binary(max_size=40), max_size=25))
def test_any_bytes_can_be_shown(lines: list[bytes]) -> None:
    mail = Mail(1, datetime.now(UTC), "a@x.example", (), b"\r\n".join(lines))
    assert detail(mail).model_dump_json()


def test_the_interpreter_of_the_children_is_this_one() -> None:
    command = Programs(Path("/var"), {}).mail(smtp_port=1, http_port=2).command
    assert command[0] == sys.executable
