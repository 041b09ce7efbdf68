"""What the simulated carrier knows of numbers: their digits say it.

Of a number in +1 the last four digits decide, the first row that fits:

    area code 800, 888, 877 …   toll-free, at RespOrg "Example RespOrg" (SMX01), ready in 10 days, and
      0001                        spare: nobody has it
      0002                        unavailable
      0003                        the present RespOrg denies it
      0004                        disconnected, manual_only
      0005                        in transition
    0190                        not portable: no coverage in its rate center
    0191                        here already
    0192                        portable by hand only
    0193                        unknown: the check is down
    0194                        portable, losing carrier unknown
    0195                        portable, 14 days ahead at least
    0001 and 9xxx               mobile, PIN required, "Example Mobile" (SPID 903X)
    0150 to 0189                landline, "Second Example Telephone" (SPID 902X)
    all others                  landline, "Example Telephone" (SPID 901X)

So the examples of API contract 6.1 are a landline and a mobile number, and 555-0100 to 555-0199, which
are nobody's, have everything that can be tried. Numbers elsewhere are not portable.
"""

from __future__ import annotations

from typing import Any, Final

from domain.porting.numbers import classify
from domain.porting.portability import PortabilityCheck
from domain.porting.rejections import RejectionCode
from domain.porting.words import NumberType, Portability, PortKind

__all__ = ["LOSING_CARRIERS", "check_number"]

LOSING_CARRIERS: Final = {
    "901X": "Example Telephone",
    "902X": "Second Example Telephone",
    "903X": "Example Mobile",
    "SMX01": "Example RespOrg",
}
"""Names by SPID; the toll-free registry calls the last one by a RespOrg code."""

_NO: Final = Portability.NO
_CODE: Final = RejectionCode

_TOLL_FREE: Final = {
    "0001": (_CODE.TOLLFREE_SPARE, "The number is spare: reserve it, nobody has it."),
    "0002": (_CODE.TOLLFREE_UNAVAILABLE, "The registry has marked the number unavailable."),
    "0003": (_CODE.TOLLFREE_DENIED, "The present RespOrg denies the change."),
    "0004": (_CODE.TOLLFREE_DISCONNECTED, "The number is disconnected."),
    "0005": (_CODE.TOLLFREE_TRANSITIONAL, "The number is in transition."),
}

_REFUSED: Final = {
    "0190": (_CODE.NOT_PORTABLE, "There is no coverage in the rate center of this number."),
    "0191": (_CODE.ALREADY_HERE, "The number is with this carrier already."),
    "0192": (_CODE.MANUAL_ONLY, "The number can be ported by hand only."),
}


def check_number(number: str) -> PortabilityCheck:
    """The answer for one number (E.164 with ``+``), by the table above."""
    facts = classify(number)
    last = number[-4:]
    if facts.kind is PortKind.TOLL_FREE:
        at = {**_carrier("SMX01"), "number_type": NumberType.TOLL_FREE, "country": "US"}
        if last in _TOLL_FREE:
            return _refused(number, *_TOLL_FREE[last], **at)
        return _portable(number, **at, lead_days=10)
    if not number.startswith("+1"):
        return _refused(number, _CODE.NOT_PORTABLE, "The number is outside of North America.")
    at = {"number_type": NumberType.LANDLINE, "country": facts.country, **_carrier("901X")}
    if last in _REFUSED:
        return _refused(number, *_REFUSED[last], **at)
    if last == "0193":
        return PortabilityCheck(
            number=number,
            portability=Portability.UNKNOWN,
            country=facts.country,
            reason="The look-up of this number is down; try again later.",
        )
    if last == "0194":
        return _portable(number, number_type=NumberType.LANDLINE, country=facts.country)
    if last == "0195":
        return _portable(number, **at, lead_days=14)
    if last == "0001" or last.startswith("9"):
        mobile = {"number_type": NumberType.MOBILE, "pin_required": True, **_carrier("903X")}
        return _portable(number, **{**at, **mobile})
    if "0150" <= last <= "0189":
        return _portable(number, **{**at, **_carrier("902X")})
    return _portable(number, **at)


def _carrier(spid: str) -> dict[str, Any]:
    return {"spid": spid, "losing_carrier": LOSING_CARRIERS[spid]}


def _portable(number: str, **facts: Any) -> PortabilityCheck:
    return PortabilityCheck(number=number, portability=Portability.YES, **facts)


def _refused(number: str, code: RejectionCode, reason: str, **facts: Any) -> PortabilityCheck:
    return PortabilityCheck(number=number, portability=_NO, code=code, reason=reason, **facts)
