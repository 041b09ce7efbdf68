"""The OPTIONS of a health check and its reply, made and read at the pace of very many.

A template holds the bytes that all probes of one local address share. What it renders is, byte for
byte, what `sip.build.options_request` builds from the same values. The reader knows one way to write
a response, which is that of nearly all peers, in one pattern: what it accepts, `parse_message` reads
the same, and everything else it leaves to `parse_message`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from sip.build import options_request
from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.grammar import TOKEN, shown
from sip.headers import MAGIC_COOKIE
from sip.message import MAX_BODY, MAX_LINE
from sip.uri import SipUri, parse_uri

__all__ = ["OptionsTemplate", "QuickReply", "branches_in", "read_reply"]

# Stand in the template where each probe and each target has a value of its own.
_TOKEN_HERE: Final = "own.value.of.each.probe"
_HOST_HERE: Final = "own.host.of.each.target.invalid"


class OptionsTemplate:
    """Every OPTIONS that leaves from one local address over one transport for one From."""

    __slots__ = ("_after", "_before_branch", "_before_call_id", "_before_tag", "_before_to")

    def __init__(
        self,
        *,
        transport: str,
        via_host: str,
        via_port: int,
        from_uri: SipUri,
        user_agent: str,
    ) -> None:
        """`transport` is udp, tcp or tls. Contact is the sent-by address.

        Raises LocalProtocolError when a part would break out of its line.
        """
        params = () if transport == "udp" else (("transport", transport),)
        whole = options_request(
            target_uri=SipUri(scheme="sip", host=_HOST_HERE),
            from_uri=from_uri,
            from_tag=_TOKEN_HERE,
            call_id=_TOKEN_HERE,
            branch=f"{MAGIC_COOKIE}{_TOKEN_HERE}",
            cseq=1,
            via_transport=transport.upper(),
            via_host=via_host,
            via_port=via_port,
            contact=SipUri(scheme="sip", host=via_host, port=via_port, params=params),
            user_agent=user_agent,
        ).serialize()
        _, head, rest = whole.split(f"sip:{_HOST_HERE}".encode())
        token = _TOKEN_HERE.encode()
        self._before_branch, self._before_tag, self._before_to = head.split(token)
        self._before_call_id, self._after = rest.split(token)

    def render(self, target: tuple[bytes, bytes], token: bytes) -> bytes:
        """Return the request for what `target` gave of one; branch, tag and Call-ID hold the token.

        `token` is the text of a SIP token that nobody else can know.
        """
        request_uri, to = target
        return b"".join(
            (
                b"OPTIONS ",
                request_uri,
                self._before_branch,
                token,
                self._before_tag,
                token,
                self._before_to,
                to,
                self._before_call_id,
                token,
                self._after,
            )
        )

    @staticmethod
    def target(uri: SipUri) -> tuple[bytes, bytes]:
        """Return Request-URI and To of a target for `render`.

        Raises LocalProtocolError when the URI cannot stand in a request.
        """
        text = str(uri)
        try:
            read = parse_uri(text)
        except RemoteProtocolError as error:
            raise LocalProtocolError(f"{shown(text)} cannot be asked: {error.message}") from error
        if read != replace(uri, host=uri.host.lower()):
            raise LocalProtocolError(f"{shown(text)} names another target than was given")
        to = SipUri(uri.scheme, uri.host, uri.user)
        return text.encode(), str(to).encode()


class QuickReply(NamedTuple):
    """What a health check needs of a response.

    `branch` is that of its only Via, as the peer wrote it; `cseq` and `method` are of CSeq;
    `retry_after` is in seconds.
    """

    status: int
    branch: str
    cseq: int
    method: str
    retry_after: int | None


# Everything below is a subset of the grammar in which nothing is left to be judged: labels of a
# name, the bytes of an address, ports but 0, numbers of at most nine digits.
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}"
_HOST = (
    rf"(?=[A-Za-z0-9.\-]{{1,250}}+[:;>])(?:{_IPV4}|(?:[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+\.)*+"
    r"[A-Za-z][A-Za-z0-9]*+(?:-++[A-Za-z0-9]++)*+)"
)
_PORT = r"(?:[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]|[1-9][0-9]{0,3})"
_QUOTED = r'"[ !#-\[\]-~]*+"'
_ADDRESS = (
    rf"(?:{_QUOTED} ?)?<sips?:(?:[A-Za-z0-9\-_.+]++@)?+{_HOST}(?::{_PORT})?"
    rf"(?:;transport=[A-Za-z]++)?>(?:;tag={TOKEN})?"
)
_RPORT = rf";rport(?:={_PORT})?"
_RECEIVED = rf";received={_IPV4}"
_STAMP = rf"(?:{_RPORT}(?:{_RECEIVED})?|{_RECEIVED}(?:{_RPORT})?)?"
_PARAM = rf"{TOKEN}=(?:{TOKEN}|{_QUOTED})"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?:0[1-9]|[12][0-9]|3[01])"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
# Header fields that may hold anything; names that begin with "X-" are registered with nobody.
_FREE = r"Accept(?:-Encoding|-Language)?|Allow-Events|Server|User-Agent|X-[A-Za-z0-9\-]++"
_LINES = (
    rf"Via: SIP/2\.0/(?:UDP|TCP|TLS) {_HOST}(?::{_PORT})?"
    rf"(?:;branch=({TOKEN}){_STAMP}|{_STAMP};branch=({TOKEN}))",
    rf"(?:From|To|Contact): {_ADDRESS}",
    r"Call-ID: [A-Za-z0-9\-.]++(?:@[A-Za-z0-9\-.]++)?",
    rf"CSeq: ([0-9]{{1,9}}) ({TOKEN})",
    r"Content-Length: ([0-9]{1,5})",
    rf"(?:{_FREE}): [ -~]*+",
    rf"(?:Allow|Supported|Unsupported): {TOKEN}(?:, ?{TOKEN})*+",
    r"Content-Type: [a-z]++/[a-z0-9\-]++",
    rf"Date: {_DAY} {_MONTH} [0-9]{{4}} {_TIME} GMT",
    r"Retry-After: ([0-9]{1,9})",
    rf"(?:WWW|Proxy)-Authenticate: Digest {_PARAM}(?:, ?{_PARAM})*+",
    rf"Warning: [1-9][0-9][0-9] [!#-+\--~]++ {_QUOTED}",
)
_MOST_LINES: Final = 64
_HEAD = re.compile(
    rf"SIP/2\.0 ([1-6][0-9][0-9]) [ -~]*+\r\n(?:(?:{'|'.join(_LINES)})\r\n)"
    rf"{{1,{_MOST_LINES}}}+\r\n".encode()
)
_ONCE = re.compile(rb"\n(Via|From|To|Call-ID|CSeq|Content-Length|Content-Type|Date|Retry-After): ")
_MANDATORY: Final = frozenset({b"Via", b"From", b"To", b"Call-ID", b"CSeq"})
_BRANCH = re.compile(rf"{MAGIC_COOKIE}{TOKEN}".encode())
_BRANCHES_LOOKED_AT: Final = 4


def read_reply(data: bytes) -> QuickReply | None:
    """Read a response as far as a health check needs it, None when it is none or an unusual one.

    None says nothing about the bytes: `parse_message` has the last word.
    """
    head = _HEAD.match(data, 0, MAX_LINE)
    if head is None:
        return None
    end = head.end()
    status, branch, late_branch, cseq, method, length, retry_after = head.groups()
    names = _ONCE.findall(data, 0, end)
    present = frozenset(names)
    if len(present) != len(names) or not present >= _MANDATORY:
        return None
    arrived = len(data) - end
    if (arrived if length is None else int(length)) > min(arrived, MAX_BODY):
        return None
    return QuickReply(
        int(status),
        (branch or late_branch).decode(),
        int(cseq),
        method.decode(),
        None if retry_after is None else int(retry_after),
    )


def branches_in(data: bytes) -> tuple[str, ...]:
    """Return what looks like a branch in a message, to find out whose reply an odd one is."""
    found = islice(_BRANCH.finditer(data), _BRANCHES_LOOKED_AT)
    return tuple(each[0].decode() for each in found)
