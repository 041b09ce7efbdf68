"""Cause values of ITU-T Q.850, as SIP carries them in Reason (RFC 3326), in words.

The names that FreeSWITCH and Asterisk write in headers of their own stand for the same values.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["Q850", "q850_of_name"]


class Cause(NamedTuple):
    """``text`` names the cause; ``hint`` says what to look at, where the cause tells that."""

    text: str
    hint: str | None = None


_FORMAT = "Check how the number is written: with or without +, country code, prefix."
_ROUTE = "Check that the peer has a route for this number."
_CAPACITY = "Check how many calls the trunk may carry at once, and try again."
_SERVICE = "Have the provider enable this kind of call for the account."
_TROUBLE = "Try again; if it stays, show the trace to the provider."
_MEDIA = "Compare the codecs and the encryption of the two sides."

Q850: Final[dict[int, Cause]] = {
    1: Cause("number not assigned", _FORMAT),
    2: Cause("no route to the transit network", _ROUTE),
    3: Cause("no route to the destination", _ROUTE),
    4: Cause("special information tone", None),
    5: Cause("misdialled trunk prefix", _FORMAT),
    6: Cause("channel unacceptable", _TROUBLE),
    8: Cause("preemption", _CAPACITY),
    16: Cause("normal end of the call", None),
    17: Cause("callee busy", None),
    18: Cause("callee's telephone does not respond", "Check that the telephone is registered."),
    19: Cause("no answer from the callee", None),
    20: Cause("callee not registered or not reachable", "Check that the telephone is registered."),
    21: Cause("call rejected", "Check the rules of the peer for this caller and this number."),
    22: Cause("number changed", "Find out the new number."),
    23: Cause("redirected to another destination", None),
    25: Cause("exchange routing error, usually too many hops", "Look for a routing loop."),
    26: Cause("cleared because another branch was chosen", None),
    27: Cause("destination out of order", "Check that what is behind the peer is up."),
    28: Cause("number format invalid or number incomplete", _FORMAT),
    29: Cause("facility rejected", _SERVICE),
    30: Cause("response to a status enquiry", None),
    31: Cause("normal, unspecified", None),
    34: Cause("no circuit or channel available", _CAPACITY),
    38: Cause("network out of order", _TROUBLE),
    41: Cause("temporary failure", _TROUBLE),
    42: Cause("switching equipment congestion", _CAPACITY),
    43: Cause("access information discarded", _TROUBLE),
    44: Cause("requested channel not available", _CAPACITY),
    47: Cause("resource unavailable", _CAPACITY),
    49: Cause("quality of service unavailable", _TROUBLE),
    50: Cause("facility not subscribed", _SERVICE),
    52: Cause("outgoing calls barred", _SERVICE),
    54: Cause("incoming calls barred", _SERVICE),
    55: Cause("incoming calls barred within a closed user group", _SERVICE),
    57: Cause("bearer capability not authorised", _SERVICE),
    58: Cause("bearer capability not available now", _MEDIA),
    63: Cause("service or option not available", _SERVICE),
    65: Cause("bearer capability not implemented", _MEDIA),
    66: Cause("channel type not implemented", _MEDIA),
    69: Cause("facility not implemented", _SERVICE),
    70: Cause("only restricted digital information is available", _MEDIA),
    79: Cause("service or option not implemented", _SERVICE),
    81: Cause("invalid call reference", _TROUBLE),
    87: Cause("caller not a member of the closed user group", _SERVICE),
    88: Cause("incompatible destination", _MEDIA),
    95: Cause("invalid message", _TROUBLE),
    96: Cause("mandatory information missing", _TROUBLE),
    97: Cause("message type unknown", _TROUBLE),
    98: Cause("message does not fit the state of the call", _TROUBLE),
    99: Cause("information element unknown", _TROUBLE),
    100: Cause("information element invalid", _FORMAT),
    101: Cause("message does not fit the state of the call", _TROUBLE),
    102: Cause("recovery after a timer ran out", "Look for what does not answer behind the peer."),
    103: Cause("parameter not implemented", _TROUBLE),
    110: Cause("message with an unknown parameter discarded", _TROUBLE),
    111: Cause("protocol error", _TROUBLE),
    127: Cause("interworking with another network, cause unknown", None),
}

_NAMES: Final = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6,
    "NORMAL_CLEARING": 16,
    "NORMAL_CALL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_USER_RESPONDING": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "REDIRECTION_TO_NEW_DESTINATION": 23,
    "EXCHANGE_ROUTING_ERROR": 25,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "FACILITY_REJECTED": 29,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "FACILITY_NOT_SUBSCRIBED": 50,
    "OUTGOING_CALL_BARRED": 52,
    "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "SERVICE_UNAVAILABLE": 63,
    "BEARERCAPABILITY_NOTIMPL": 65,
    "CHAN_NOT_IMPLEMENTED": 66,
    "FACILITY_NOT_IMPLEMENTED": 69,
    "SERVICE_NOT_IMPLEMENTED": 79,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
}


def q850_of_name(name: str) -> int | None:
    """The value behind a name such as ``USER_BUSY`` or ``User busy``; None for an unknown one."""
    return _NAMES.get("_".join(name.upper().replace("-", " ").replace("_", " ").split()))
