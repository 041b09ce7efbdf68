"""What a response of class 4xx most likely means on a trunk, and what its owner can change.

Sources: RFC 3261 21 and the RFCs of the later codes; the causes are those that operators of trunks
meet behind each code. ``{status}`` is the code with the peer's phrase, ``{method}``
the request's method.
"""

from __future__ import annotations

from typing import Final

from domain.diagnosis_model import Blame, DiagnosisCode, FailOver, Row

__all__ = ["BUSY", "MEDIA", "METHOD", "ROWS_4XX", "TOO_LARGE"]

_Code = DiagnosisCode
_CLIENT, _PEER = Blame.CLIENT_ERROR, Blame.PEER_CONFIG
_YES, _NO, _OPT_IN = FailOver.YES, FailOver.NO, FailOver.OPT_IN

_IDENTITY = Row(
    _Code.IDENTITY,
    "It answered {status}: the call's signed identity (STIR/SHAKEN) is missing or not accepted.",
    (
        "Ask the provider which calls it wants signed, and whether it signs those of this trunk "
        "itself.",
    ),
    _NO,
    _PEER,
)
_LOOP = Row(
    _Code.LOOP,
    "It answered {status}: the call goes round in a circle.",
    ("Look at the peer's route for this number: it leads back to us or to itself.",),
    _NO,
    _PEER,
)
TOO_LARGE = Row(
    _Code.TOO_LARGE,
    "It answered {status}: the INVITE is too large for it.",
    ("Use TCP or TLS instead of UDP.", "Switch off codecs that are not needed."),
    FailOver.RETRY_TCP,
    _CLIENT,
)
_MEDIA_TYPE = Row(
    _Code.NOT_ACCEPTABLE,
    "It answered {status}: it cannot use the kind of content in the INVITE, or cannot answer in "
    "one that we accept.",
    ("Check that the peer's trunk takes SDP (application/sdp) in INVITE.",),
    _NO,
    _PEER,
)
_EXTENSION = Row(
    _Code.EXTENSION,
    "It answered {status}: the two sides do not agree on an extension of SIP.",
    (
        "Switch session timers (timer) and reliable provisional responses (100rel) over at the peer.",
    ),
    _NO,
    _PEER,
)
_SECURITY = Row(
    _Code.SECURITY_AGREEMENT,
    "It answered {status}: it demands an agreement on security (RFC 3329) or content that it can "
    "decrypt, which trunks rarely do.",
    ("Switch security agreement off for this trunk at the peer, and use TLS.",),
    _NO,
    _PEER,
)
METHOD = Row(
    _Code.METHOD_UNSUPPORTED,
    "It answered {status}: it takes no {method} requests here.",
    ("Check that the address is the one for calls, not one for registration or messages only.",),
    _NO,
    _PEER,
)
MEDIA = Row(
    _Code.MEDIA_NOT_ACCEPTABLE,
    "It answered {status}: it accepts nothing of the media that was offered.",
    (),
    _NO,
    _CLIENT,
)
BUSY = Row(
    _Code.BUSY,
    "It answered {status}: the callee is busy.",
    ("Call another number, or wait until the callee is free.",),
    _NO,
    _CLIENT,
    (
        "The callee is on the telephone.",
        "Some peers say busy when all channels of the trunk are in use.",
    ),
)

ROWS_4XX: Final[dict[int, Row]] = {
    400: Row(
        _Code.BAD_REQUEST,
        "It answered {status}: it finds the INVITE malformed for itself.",
        ("Look in its log for the header field that it objects to.",),
        _NO,
        _PEER,
        (
            "The transport in Via is not the one that its trunk is set to.",
            "The host in Contact or in the request's address is not one that it knows.",
            "It was sent a sips: address where it wants sip: with transport=tls, or the reverse.",
        ),
    ),
    402: Row(
        _Code.OUT_OF_CREDIT,
        "It answered {status}: the account is out of credit.",
        ("Settle or top up the provider's account.",),
        _OPT_IN,
        _CLIENT,
    ),
    403: Row(_Code.FORBIDDEN, "It answered {status}: it refuses this call.", (), _OPT_IN, _CLIENT),
    404: Row(
        _Code.NOT_FOUND, "It answered {status}: it does not know the number.", (), _NO, _CLIENT
    ),
    405: METHOD,
    406: _MEDIA_TYPE,
    408: Row(
        _Code.REQUEST_TIMEOUT,
        "It answered {status}: what is behind it did not answer in time.",
        ("Check the connection between the peer and the PBX or carrier behind it.",),
        _YES,
        _CLIENT,
    ),
    410: Row(
        _Code.GONE,
        "It answered {status}: the number does not exist any more.",
        ("Call a number that is in use.",),
        _NO,
        _CLIENT,
    ),
    413: TOO_LARGE,
    415: _MEDIA_TYPE,
    416: Row(
        _Code.URI_SCHEME,
        "It answered {status}: it does not take this kind of address.",
        ("Use a sip: address with transport=tls instead of sips: or tel:.",),
        _NO,
        _CLIENT,
    ),
    420: _EXTENSION,
    421: _EXTENSION,
    422: Row(
        _Code.SESSION_INTERVAL,
        "It answered {status}: the session interval offered is too short for it.",
        ("Offer a session interval of at least its Min-SE, or switch session timers off.",),
        FailOver.RETRY,
        _PEER,
    ),
    423: Row(
        _Code.REGISTER_INTERVAL,
        "It answered {status}: the registration is too short for it.",
        ("Register for at least its Min-Expires.",),
        FailOver.RETRY,
        _PEER,
    ),
    428: _IDENTITY,
    433: Row(
        _Code.ANONYMOUS_REFUSED,
        "It answered {status}: it refuses callers without a number.",
        ("Send a caller ID: set the number in From, or assert it in P-Asserted-Identity.",),
        _NO,
        _CLIENT,
    ),
    436: _IDENTITY,
    437: _IDENTITY,
    438: _IDENTITY,
    480: Row(
        _Code.UNAVAILABLE,
        "It answered {status}: the callee cannot be reached now.",
        ("Check that the telephone or PBX behind it is registered.",),
        FailOver.PROVIDER,
        _CLIENT,
        (
            "The telephone or PBX behind it is offline or not registered.",
            "All channels of the trunk are in use.",
            "The callee does not want to be disturbed.",
        ),
    ),
    481: Row(
        _Code.DIALOG_UNKNOWN,
        "It answered {status}: it does not know the call that the request belongs to.",
        (
            "Have all requests of a call go to the same proxy: check Record-Route and Contact.",
            "Keep the NAT binding: raise the UDP timeout of the firewall, or use TCP or TLS.",
        ),
        _NO,
        Blame.NETWORK_PATH,
        (
            "A proxy failed over in the middle of the call.",
            "A firewall or NAT gave the flow another address.",
        ),
    ),
    482: _LOOP,
    483: _LOOP,
    484: Row(
        _Code.ADDRESS_INCOMPLETE,
        "It answered {status}: the number has too few digits for it.",
        (),
        _NO,
        _CLIENT,
    ),
    485: Row(
        _Code.AMBIGUOUS,
        "It answered {status}: the number fits more than one destination.",
        ("Call the full number, with country code.",),
        _NO,
        _CLIENT,
    ),
    486: BUSY,
    487: Row(
        _Code.REQUEST_TERMINATED,
        "It answered {status}: the call was ended before it was answered, and not from here.",
        ("Look at the rules of the peer: something there hangs up while it rings.",),
        _NO,
        _PEER,
    ),
    488: MEDIA,
    491: Row(
        _Code.GLARE,
        "It answered {status}: both sides changed the call at the same moment.",
        ("Try again.",),
        _NO,
        Blame.INDETERMINATE,
    ),
    493: _SECURITY,
    494: _SECURITY,
}
