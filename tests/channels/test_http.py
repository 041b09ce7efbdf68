"""Where a POST goes, and that no receiver can make it wait, read or wander."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Delivered, Failed, Receipt, Refused
from channels.guarded_network import NameNotFound, system_names
from channels.http import LONGEST_WAIT, MAX_BODY, HttpAnswer, HttpSender, receipt_of
from sip.net.guard import AddressGuard
from tests.channels.conftest import AGENT, Secured
from tests.channels.receivers import (
    answering,
    dripping,
    flooding,
    hanging,
    receiver,
    silent_body,
)
from tests.support.loopback import LoopbackBlock

Make = Callable[..., HttpSender]


async def test_a_body_arrives_as_it_was_given(address: str, sender: Make) -> None:
    async with receiver(address, answering(204)) as hook:
        sent = [("content-type", "application/json"), ("x-one", "1")]
        answer = await sender(address).post(hook.url(path="/a?b=c"), b'{"a":1}', sent)
    assert answer == HttpAnswer(204, b"")
    [request] = hook.requests
    assert request.line == "POST /a?b=c HTTP/1.1"
    assert request.body == b'{"a":1}'
    assert request.headers["user-agent"] == AGENT
    assert request.headers["x-one"] == "1"
    assert request.headers["host"] == f"{address}:{hook.port}"


async def test_the_certificate_is_checked_against_the_name(secured: Secured, sender: Make) -> None:
    names = {secured.name: [secured.address], "other.example": [secured.address]}
    post = sender(secured.address, names=names, tls=secured.client).post
    async with receiver(secured.address, answering(200), secured.server) as hook:
        assert isinstance(await post(hook.url("https", secured.name), b"{}"), HttpAnswer)
        other = await post(hook.url("https", "other.example"), b"{}")
    assert isinstance(other, Failed)
    assert "not trusted" in other.reason
    assert len(hook.requests) == 1


async def test_a_private_authority_is_not_trusted(secured: Secured, sender: Make) -> None:
    post = sender(secured.address, names={secured.name: [secured.address]}).post
    async with receiver(secured.address, answering(200), secured.server) as hook:
        answer = await post(hook.url("https", secured.name), b"{}")
    assert isinstance(answer, Failed)
    assert "not trusted" in answer.reason
    assert hook.requests == []


async def test_no_connection_goes_to_an_address_that_is_not_permitted(
    loopback: LoopbackBlock, sender: Make
) -> None:
    here, there = loopback.address(), loopback.address()
    async with receiver(here, answering(200)) as hook:
        for url in (hook.url(), hook.url(host="hook.example")):
            answer = await sender(there, names={"hook.example": [here]}).post(url, b"{}")
            assert isinstance(answer, Refused)
            assert "not permitted" in answer.reason
    assert hook.connections == 0


async def test_of_several_addresses_only_the_permitted_ones_are_tried(
    loopback: LoopbackBlock, sender: Make
) -> None:
    here, dead, forbidden = loopback.address(), loopback.address(), loopback.address()
    names = {"hook.example": [forbidden, dead, here]}
    async with receiver(here, answering(200)) as hook:
        answer = await sender(here, dead, names=names).post(hook.url(host="hook.example"), b"{}")
    assert isinstance(answer, HttpAnswer)


async def test_plain_http_goes_into_the_operators_networks_only(sender: Make) -> None:
    for url in ("http://198.51.99.1/hook", "http://[2606:4700::1]/hook"):
        answer = await sender("127.0.0.0/8").post(url, b"{}")
        assert isinstance(answer, Refused)
        assert "only https" in answer.reason


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "https://", "https://a:b@example.com/", "https://[::1", "//x"],
)
async def test_a_url_that_makes_no_sense_is_refused(url: str, sender: Make) -> None:
    assert isinstance(await sender().post(url, b"{}"), Refused)


async def test_a_name_that_leads_nowhere_may_lead_somewhere_later(sender: Make) -> None:
    answer = await sender(names={"empty.example": []}).post("https://empty.example/", b"{}")
    assert isinstance(answer, Failed)
    answer = await sender().post("https://gone.example/", b"{}")
    assert isinstance(answer, Failed)
    assert "does not resolve" in answer.reason


async def test_the_systems_resolver_is_asked_by_itself() -> None:
    assert "127.0.0.1" in await system_names("localhost")
    for name in ("no-such-name.invalid", "a\x00b"):
        with pytest.raises(NameNotFound):
            await system_names(name)


async def test_a_port_where_nobody_listens_is_told(address: str, sender: Make) -> None:
    answer = await sender(address).post(f"http://{address}:9/", b"{}")
    assert isinstance(answer, Failed)
    assert "no connection" in answer.reason


async def test_a_redirect_that_keeps_the_method_is_followed(secured: Secured, sender: Make) -> None:
    post = sender(secured.address, names={secured.name: [secured.address]}, tls=secured.client).post
    async with (
        receiver(secured.address, answering(200), secured.server) as last,
        receiver(secured.address, answering(500), secured.server) as first,
    ):
        for status in (307, 308):
            first.answer = answering(status, f"Location: {last.url('https', secured.name)}")
            answer = await post(first.url("https", secured.name), b"{}", redirects=3)
            assert answer == HttpAnswer(200, b"")
        first.answer = answering(308, "Location: /elsewhere")
        answer = await post(first.url("https", secured.name), b"{}", redirects=3)
        assert isinstance(answer, HttpAnswer)
        assert answer.status == 308
    assert [each.body for each in last.requests] == [b"{}", b"{}"]
    assert [each.line.split()[1] for each in first.requests[2:]] == ["/hook"] + ["/elsewhere"] * 3


@pytest.mark.parametrize("status", [301, 302, 303, 304])
async def test_a_redirect_that_changes_the_method_is_not_followed(
    status: int, address: str, sender: Make
) -> None:
    async with receiver(address, answering(status, "Location: https://example.com/")) as hook:
        answer = await sender(address).post(hook.url(), b"{}", redirects=3)
    assert isinstance(answer, HttpAnswer)
    assert answer.status == status


@pytest.mark.parametrize("place", ["http://{there}:{port}/", "//{there}:{port}/", "ftp://x/"])
async def test_a_redirect_to_a_place_without_https_is_refused(
    place: str, address: str, sender: Make
) -> None:
    async with receiver(address, answering(200)) as hook:
        location = place.format(there=address, port=hook.port)
        hook.answer = answering(307, f"Location: {location}")
        answer = await sender(address).post(hook.url(), b"{}", redirects=3)
    assert isinstance(answer, Refused)
    assert hook.connections == 1


@pytest.mark.parametrize(
    "location",
    ["https://169.254.169.254/latest", "https://10.0.0.5/", "https://[::ffff:10.0.0.5]/"],
)
async def test_a_redirect_to_a_private_address_is_refused(
    location: str, address: str, sender: Make
) -> None:
    async with receiver(address, answering(307, f"Location: {location}")) as hook:
        answer = await sender(address).post(hook.url(), b"{}", redirects=3)
    assert isinstance(answer, Refused)
    assert "not permitted" in answer.reason


async def test_a_redirect_without_a_place_or_to_nonsense_ends(address: str, sender: Make) -> None:
    async with receiver(address, answering(307)) as hook:
        answer = await sender(address).post(hook.url(), b"{}", redirects=3)
        assert isinstance(answer, HttpAnswer)
        hook.answer = answering(307, "Location: https://[::1")
        assert isinstance(await sender(address).post(hook.url(), b"{}", redirects=3), Refused)


@pytest.mark.parametrize("answer", [hanging, dripping])
async def test_a_receiver_that_does_not_answer_is_ended(
    answer: Callable[[asyncio.StreamWriter], object], address: str, sender: Make
) -> None:
    async with receiver(address, answer) as hook:  # type: ignore[arg-type]
        began = time.monotonic()
        outcome = await sender(address, deadline=0.3).post(hook.url(), b"{}")
    assert isinstance(outcome, Failed)
    assert time.monotonic() - began < 3


async def test_a_receiver_that_never_speaks_tls_is_ended(secured: Secured, sender: Make) -> None:
    async with receiver(secured.address, hanging) as hook:
        outcome = await sender(secured.address, deadline=0.3).post(hook.url("https"), b"{}")
    assert outcome == Failed("no answer within 0.3 s")


async def test_a_connection_that_takes_too_long_is_ended(address: str) -> None:
    async def never(_: str) -> list[str]:
        await asyncio.Event().wait()
        raise AssertionError

    slow = HttpSender(AddressGuard(), user_agent=AGENT, names=never, connecting=0.1)
    assert isinstance(await slow.post("https://hook.example/", b"{}"), Failed)


async def test_a_body_is_neither_awaited_nor_swallowed(address: str, sender: Make) -> None:
    async with receiver(address, silent_body) as hook:
        assert await sender(address).post(hook.url(), b"{}") == HttpAnswer(200, b"")
        hook.answer = flooding
        answer = await sender(address).post(hook.url(), b"{}")
        assert answer == HttpAnswer(200, b"x" * MAX_BODY)
        hook.answer = answering(200, "Transfer-Encoding: chunked", body=b"zz\r\n")
        assert isinstance(await sender(address).post(hook.url(), b"{}"), HttpAnswer | Failed)


@pytest.mark.parametrize(
    "said", [b"", b"SIP/2.0 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 200_000]
)
async def test_garbage_is_a_failure(said: bytes, address: str, sender: Make) -> None:
    async def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with receiver(address, garbage) as hook:
        answer = await sender(address).post(hook.url(), b"{}")
    assert isinstance(answer, Failed)
    assert "broke" in answer.reason


TRUST = ssl.create_default_context()


async def nowhere(host: str) -> list[str]:
    raise NameNotFound(f"{host} does not resolve")


@given(st.text(max_size=40))
async def test_no_url_and_no_location_breaks_the_sender(text: str) -> None:
    sender = HttpSender(AddressGuard(), user_agent=AGENT, tls=TRUST, names=nowhere)
    for url in (text, f"https://{text}", f"http://127.0.0.1{text}"):
        assert not isinstance(await sender.post(url, b"{}"), HttpAnswer)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 0), ("999999999999", 3600), ("soon", None), ("-1", None), ("٣", None)],
)
async def test_a_wait_that_is_asked_for_has_bounds(
    value: str, seconds: int | None, address: str, sender: Make
) -> None:
    async with receiver(address, answering(503, f"Retry-After: {value}")) as hook:
        answer = await sender(address).post(hook.url(), b"{}")
    assert isinstance(answer, HttpAnswer)
    assert answer.retry_after == (None if seconds is None else timedelta(seconds=seconds))


async def test_a_wait_may_be_a_date(address: str, sender: Make) -> None:
    for ahead in (timedelta(minutes=5), timedelta(days=5), -timedelta(days=5)):
        date = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        async with receiver(address, answering(429, f"Retry-After: {date}")) as hook:
            answer = await sender(address).post(hook.url(), b"{}")
        assert isinstance(answer, HttpAnswer)
        assert answer.retry_after is not None
        expected = max(timedelta(0), min(ahead, LONGEST_WAIT))
        assert abs(answer.retry_after - expected) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("status", "webhook", "service"),
    [
        (200, Delivered, Delivered),
        (204, Delivered, Delivered),
        (302, Failed, Refused),
        (400, Failed, Refused),
        (404, Failed, Refused),
        (408, Failed, Failed),
        (410, Refused, Refused),
        (429, Failed, Failed),
        (500, Failed, Failed),
        (503, Failed, Failed),
    ],
)
def test_what_a_status_means(status: int, webhook: type[Receipt], service: type[Receipt]) -> None:
    wait = timedelta(seconds=7)
    answer = HttpAnswer(status, b"", wait)
    for is_final, kind in ((False, webhook), (True, service)):
        receipt = receipt_of(answer, is_final=is_final)
        assert isinstance(receipt, kind)
        if isinstance(receipt, Failed):
            assert receipt.retry_after == wait
        if isinstance(receipt, Refused):
            assert receipt.gone is (status == 410)
