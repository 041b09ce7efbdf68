"""Hypothesis strategies for well-formed SIP values and messages, and for the many ways to write them."""

from __future__ import annotations

import string

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sip.headers import CSeq, NameAddr, Via
from sip.message import Headers, Message, Request, Response
from sip.uri import OtherUri, SipUri, TelUri, Uri

# A busy machine is no finding: drawing a whole message costs milliseconds on an idle one.
PARTS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
WHOLE_MESSAGES = settings(PARTS, max_examples=40)

TOKEN_CHARS = string.ascii_letters + string.digits + "-.!%*_+`'~"
UNRESERVED = string.ascii_letters + string.digits + "-_.!~*'()"

tokens = st.text(TOKEN_CHARS, min_size=1, max_size=8)
# Any text that can stand in a header field: no control characters, no lone surrogates.
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
# A quoted string can hold control characters too, but no line break.
display_names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=10)


def _with_escapes(characters: str, min_size: int = 1) -> st.SearchStrategy[str]:
    """Text in which stand-ins become escapes: a reserved one, a control, a letter, half of UTF-8."""
    escapes = {"\x01": "%40", "\x02": "%00", "\x03": "%61", "\x04": "%c3"}
    table = str.maketrans(escapes)
    text = st.text(characters + "".join(escapes), min_size=min_size, max_size=6)
    return text.map(lambda drawn: drawn.translate(table))


_inner = st.text(string.ascii_lowercase + string.digits + "_-", max_size=6)
labels = _inner.map(lambda inner: f"h{inner}0")
host_names = st.tuples(st.lists(labels, max_size=2), st.sampled_from(["example", "x", "c0"])).map(
    lambda parts: ".".join([*parts[0], parts[1]])
)
hosts = st.one_of(
    host_names,
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: address.compressed),
    st.sampled_from(["::", "::1", "::ffff:192.0.2.1", "2001:db8::192.0.2.1", "0.0.0.0", "a."]),
)
ports = st.none() | st.integers(0, 65535)


def _pairs(
    names: st.SearchStrategy[str], values: st.SearchStrategy[str | None]
) -> st.SearchStrategy[tuple[tuple[str, str | None], ...]]:
    """Parameters whose names differ in more than case."""
    return st.lists(
        st.tuples(names, values), max_size=3, unique_by=lambda pair: pair[0].lower()
    ).map(tuple)


uri_params = _pairs(
    _with_escapes(UNRESERVED + "[]/:&+$"), st.none() | _with_escapes(UNRESERVED + "[]/:&+$")
)
uri_headers = st.lists(
    st.tuples(_with_escapes(UNRESERVED + "[]/?:+$"), _with_escapes(UNRESERVED + "[]/?:+$", 0)),
    max_size=2,
).map(tuple)
users = _with_escapes(UNRESERVED + "&=+$,;?/")


def sip_uris(*, with_headers: bool = True) -> st.SearchStrategy[SipUri]:
    plain = st.builds(
        SipUri,
        scheme=st.sampled_from(["sip", "sips"]),
        host=hosts,
        port=ports,
        params=uri_params,
        headers=uri_headers if with_headers else st.just(()),
    )
    named = st.builds(
        SipUri,
        scheme=st.sampled_from(["sip", "sips"]),
        host=hosts,
        user=users,
        password=st.none() | _with_escapes(UNRESERVED + "&=+$,", 0),
        port=ports,
        params=uri_params,
        headers=uri_headers if with_headers else st.just(()),
    )
    return plain | named


tel_uris = st.builds(
    TelUri,
    number=st.one_of(
        st.text(string.digits + "-.()", max_size=12).map(lambda rest: f"+1{rest}"),
        st.text("0123456789ABCDEF*#", min_size=1, max_size=8),
    ),
    params=_pairs(
        st.text(string.ascii_letters + "-", min_size=1, max_size=8),
        st.none() | _with_escapes(UNRESERVED + "[]/:&+$"),
    ),
)
other_uris = st.builds(
    OtherUri,
    scheme=st.sampled_from(["http", "urn", "im", "soap.beep", "x-y+z"]),
    rest=_with_escapes(UNRESERVED + ";/?:@&=+$,"),
)


def uris(*, in_request_line: bool = False) -> st.SearchStrategy[Uri]:
    return st.one_of(sip_uris(with_headers=not in_request_line), tel_uris, other_uris)


_KNOWN_PARAMS = {"tag", "q", "expires", "branch", "received", "rport"}
header_params = _pairs(
    tokens.filter(lambda name: name.lower() not in _KNOWN_PARAMS),
    st.one_of(st.none(), tokens, st.just('"a \\" quoted;, string"'), st.just("[2001:db8::1]")),
)


@st.composite
def name_addrs(draw: st.DrawFn, *, tagged: bool = False) -> NameAddr:
    params = draw(header_params)
    if tagged:
        params = (("tag", draw(tokens)), *params)
    return NameAddr(draw(uris()), draw(st.none() | display_names), params)


@st.composite
def vias(draw: st.DrawFn) -> Via:
    params: list[tuple[str, str | None]] = [("branch", "z9hG4bK" + draw(tokens))]
    if draw(st.booleans()):
        params.append(("rport", draw(st.none() | st.integers(1, 65535).map(str))))
    if draw(st.booleans()):
        params.append(("received", str(draw(st.ip_addresses()))))
    params += draw(header_params)
    return Via(draw(tokens).upper(), draw(hosts), draw(ports), tuple(params))


cseq_numbers = st.integers(0, 2**31 - 1)
call_ids = tokens | st.tuples(tokens, host_names).map("@".join)
unknown_names = tokens.map(lambda token: f"X-{token}")


@st.composite
def _fields(draw: st.DrawFn, method: str, body: bytes) -> Headers:
    items = [("Via", str(via)) for via in draw(st.lists(vias(), min_size=1, max_size=3))]
    items += [
        ("From", str(draw(name_addrs(tagged=True)))),
        ("To", str(draw(name_addrs()))),
        ("Call-ID", draw(call_ids)),
        ("CSeq", str(CSeq(draw(cseq_numbers), method))),
        ("Max-Forwards", str(draw(st.integers(0, 255)))),
    ]
    items += [("Contact", str(draw(name_addrs()))) for _ in range(draw(st.integers(0, 2)))]
    for name in draw(st.lists(unknown_names, max_size=2)):
        items.append((name, draw(texts).strip(" \t")))
    items.append(("Content-Length", str(len(body))))
    return Headers(draw(st.permutations(items)))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    method = draw(st.sampled_from(["OPTIONS", "INVITE", "REGISTER"]) | tokens)
    body = draw(st.binary(max_size=40))
    uri = draw(uris(in_request_line=True))
    return Request(method, uri, draw(_fields(method, body)), body)


@st.composite
def responses(draw: st.DrawFn) -> Response:
    body = draw(st.binary(max_size=40))
    fields = draw(_fields(draw(tokens), body))
    return Response(draw(st.integers(100, 699)), draw(texts), fields, body)


def messages() -> st.SearchStrategy[Message]:
    return requests() | responses()


_COMPACT = {
    "Via": "v",
    "From": "f",
    "To": "t",
    "Call-ID": "i",
    "Contact": "m",
    "Content-Length": "l",
}


@st.composite
def spelled_differently(draw: st.DrawFn, message: Message) -> bytes:
    """The bytes of `message` with other cases, compact names, more white space and folded lines."""
    head, _, body = message.serialize().partition(b"\r\n\r\n")
    start_line, *lines = head.decode().split("\r\n")
    written = [start_line]
    for line in lines:
        name, _, value = line.partition(": ")
        name = draw(st.sampled_from([name, name.upper(), name.lower(), _COMPACT.get(name, name)]))
        before = draw(st.sampled_from(["", " ", "\t "]))
        after = draw(st.sampled_from(["", " ", "\t", "\r\n ", "\r\n\t "]))
        end = draw(st.sampled_from(["", " ", "\r\n "]))
        written.append(f"{name}{before}:{after}{value}{end}")
    return "\r\n".join(written).encode() + b"\r\n\r\n" + body
