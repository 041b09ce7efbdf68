"""What a response of class 3xx, 5xx or 6xx most likely means on a trunk; and the row of any status.

Sources: RFC 3261 21, RFC 8197 (607), RFC 8688 (608). Texts as in `domain.diagnosis_rows_4xx`.
"""

from __future__ import annotations

from typing import Final

from domain.diagnosis_model import Blame, DiagnosisCode, FailOver, Row
from domain.diagnosis_rows_4xx import BUSY, MEDIA, METHOD, ROWS_4XX, TOO_LARGE

__all__ = ["ROWS", "row_of"]

_Code = DiagnosisCode
_CLIENT, _UPSTREAM, _PEER = Blame.CLIENT_ERROR, Blame.UPSTREAM_ERROR, Blame.PEER_CONFIG
_YES, _NO = FailOver.YES, FailOver.NO

_UPSTREAM_TROUBLE = Row(
    _Code.UPSTREAM_TROUBLE,
    "It answered {status}: the carrier or server behind it cannot be reached or resolved, or "
    "answered what it could not use.",
    ("Check the connection between the peer and what is behind it; its log names the next hop.",),
    _YES,
    _UPSTREAM,
)
_REFUSED_CALLER = (
    "Have the provider show which caller numbers this trunk may use.",
    "Register the caller number with the analytics providers, and have its calls signed.",
)

ROWS: Final[dict[int, Row]] = ROWS_4XX | {
    500: Row(
        _Code.PEER_ERROR,
        "It answered {status}: it failed on the call, in a script or a setting of its own.",
        ("Look in its log at the time of this call.",),
        _YES,
        _UPSTREAM,
    ),
    501: METHOD,
    502: _UPSTREAM_TROUBLE,
    503: Row(
        _Code.SERVICE_UNAVAILABLE,
        "It answered {status}: it takes no calls now.",
        ("Check its state, its routes, and that it knows our addresses.",),
        _YES,
        _UPSTREAM,
        (
            "It is overloaded or in maintenance.",
            "It has no route for this number.",
            "It does not know our addresses (Cisco UCM answers so).",
        ),
    ),
    504: _UPSTREAM_TROUBLE,
    505: Row(
        _Code.SIP_VERSION,
        "It answered {status}: it does not speak SIP 2.0.",
        ("Check which service this port belongs to.",),
        _NO,
        _PEER,
    ),
    513: TOO_LARGE,
    580: Row(
        _Code.PRECONDITION,
        "It answered {status}: it could not meet a condition on the quality of the path (QoS).",
        ("Switch preconditions (RFC 3312) off for this trunk at the peer.",),
        _NO,
        _PEER,
    ),
    600: BUSY,
    603: Row(
        _Code.DECLINED,
        "It answered {status}: the call is declined.",
        ("Ask the callee, or look at the peer's rules for this caller and this number.",),
        _NO,
        _CLIENT,
        (
            "The callee pressed reject.",
            "The provider blocks the call: fraud protection, country, caller number.",
        ),
    ),
    604: Row(
        _Code.NOT_FOUND,
        "It answered {status}: the number does not exist anywhere.",
        ("Call a number that is in use.",),
        _NO,
        _CLIENT,
    ),
    606: MEDIA,
    607: Row(
        _Code.CARRIER_BLOCKED,
        "It answered {status}: the callee marked calls from this number as unwanted.",
        _REFUSED_CALLER,
        _NO,
        _CLIENT,
    ),
    608: Row(
        _Code.CARRIER_BLOCKED,
        "It answered {status}: an analytics service on the way blocked the call.",
        ("Contest the block where Call-Info in the response says.", *_REFUSED_CALLER),
        _NO,
        _CLIENT,
    ),
}

_BY_CLASS: Final = {
    3: Row(
        _Code.REDIRECTED,
        "It answered {status}: it sends the call to another address.",
        ("Enter the address that it names as the destination of the trunk.",),
        _NO,
        _CLIENT,
    ),
    4: Row(
        _Code.REFUSED,
        "It answered {status}: it refuses the call.",
        ("Look in its log at the time of this call.",),
        _NO,
        _CLIENT,
    ),
    5: Row(
        _Code.PEER_ERROR,
        "It answered {status}: it failed on the call.",
        ("Look in its log at the time of this call.",),
        _YES,
        _UPSTREAM,
    ),
    6: Row(
        _Code.REFUSED,
        "It answered {status}: it refuses the call for every destination.",
        ("Look in its log at the time of this call.",),
        _NO,
        _CLIENT,
    ),
}


def row_of(status: int) -> Row:
    """The line for a status; for one that is no final refusal, that of an unknown refusal."""
    return ROWS.get(status) or _BY_CLASS.get(status // 100, _BY_CLASS[4])
