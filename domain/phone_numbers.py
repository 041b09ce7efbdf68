"""Phone numbers as customers write them, and the identities that a trunk carries beside them.

Sources: ITU-T E.164 (at most 15 digits; country codes in force), public contract 3.2. A number is
accepted when it is *possible*: its country code exists and its length can occur there. Whether
somebody holds it is not asked.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["InvalidNumber", "identity_of", "is_e164", "number_of", "spellings_of"]

MAX_DIGITS: Final = 15  # E.164 6.1
MIN_DIGITS: Final = 7
MAX_IDENTITY: Final = 64
QUOTE_LENGTH: Final = 40

_DIGITS = re.compile(r"[0-9]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# RFC 3261 25.1 user: unreserved and user-unreserved, less what separates parts of a URI or of a list.
_IDENTITY = re.compile(r"[A-Za-z0-9_.!~*'()&=$+-]+")
# What people put between digits; the no-break spaces come with text pasted from web pages.
_SEPARATORS = re.compile(r"[\s().\-/\u2010-\u2015\u2007\u202f]+")
_TRUNK_ZERO = re.compile(r"\(0\)")
_NANP_NATIONAL = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")
# International prefixes: most of the world, North America, Japan.
_PREFIXES: Final = ("011", "010", "00")


def _codes(*texts: str) -> frozenset[str]:
    return frozenset(code for text in texts for code in text.split())


# Country codes in force (ITU-T E.164 list of assigned codes), with the shared ones (800, 808, 87x, 88x, 979).
_COUNTRY_CODES: Final = _codes(
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58",
    "60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98",
    "211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237",
    "238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261",
    "262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359",
    "370 371 372 373 374 375 376 377 378 379 380 381 382 383 385 386 387 389 420 421 423 500 501",
    "502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 675",
    "676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856",
    "870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975",
    "976 977 979 992 993 994 995 996 998",
)

# Digits behind the country code where a plan fixes them; elsewhere anything up to fifteen in all.
_NATIONAL_LENGTHS: Final[dict[str, range]] = {
    "1": range(10, 11),
    "7": range(10, 11),
    "30": range(10, 11),
    "33": range(9, 10),
    "34": range(9, 10),
    "36": range(8, 10),
    "40": range(9, 10),
    "41": range(9, 10),
    "44": range(9, 11),
    "45": range(8, 9),
    "47": range(8, 9),
    "48": range(9, 10),
    "52": range(10, 11),
    "55": range(10, 12),
    "56": range(9, 10),
    "65": range(8, 12),
    "81": range(9, 11),
    "90": range(10, 11),
    "91": range(10, 11),
}
_ANY_LENGTH: Final = range(4, MAX_DIGITS)


class InvalidNumber(ValueError):
    """The text is no number; ``suggestion`` is what was probably meant, fit to be entered."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message if suggestion is None else f"{message} Did you mean {suggestion}?")
        self.suggestion = suggestion


def number_of(text: str) -> str:
    """The E.164 number with ``+`` that ``text`` names; the ``+`` may be missing, nothing else.

    Raises ``InvalidNumber``, with the suggestion when spaces, dashes, an international prefix or a
    missing country code are all that is wrong.
    """
    digits = text.removeprefix("+")
    if _DIGITS.fullmatch(digits) is None:
        raise _unreadable(text)
    if text == digits:
        _refuse_national(digits)
    problem = _problem(digits)
    if problem is not None:
        raise InvalidNumber(f"{_quoted(text)} {problem}", _suggestion(text))
    return f"+{digits}"


def identity_of(text: str) -> str:
    """What a number, DID or extension is stored as when it is bound to a named trunk.

    Only a leading ``+`` makes it an E.164 number; everything else is kept verbatim, as a user part
    of a SIP URI. Raises ``InvalidNumber``.
    """
    if text.startswith("+"):
        return number_of(text)
    if not text:
        raise InvalidNumber("The number is empty.")
    if len(text) > MAX_IDENTITY:
        raise InvalidNumber(f"A DID or an extension has at most {MAX_IDENTITY} characters.")
    if _IDENTITY.fullmatch(text) is None:
        raise InvalidNumber(
            f"{_quoted(text)} cannot be the user part of a SIP URI: letters, digits and "
            "-_.!~*'()&=$+ can.",
            _suggestion(text),
        )
    return text


def is_e164(number: str) -> bool:
    """Whether a stored number is an E.164 one, not a DID or an extension."""
    return _E164.fullmatch(number) is not None


def spellings_of(text: str) -> tuple[str, ...]:
    """What a stored number may be that somebody asks for with ``text``, likeliest first.

    A ``+`` in a query that was not escaped arrives as a space.
    """
    asked = f"+{text[1:]}" if text.startswith(" ") else text
    if _DIGITS.fullmatch(asked) is not None:
        return asked, f"+{asked}"
    return (asked,)


def _problem(digits: str) -> str | None:
    """Why these digits, read with a ``+``, are no possible number."""
    if len(digits) > MAX_DIGITS:
        return f"has {len(digits)} digits; an international number has at most {MAX_DIGITS}."
    if len(digits) < MIN_DIGITS:
        return "is too short for a number with its country code."
    code = next((digits[:size] for size in (1, 2, 3) if digits[:size] in _COUNTRY_CODES), None)
    if code is None:
        return "does not begin with a country code."
    lengths = _NATIONAL_LENGTHS.get(code, _ANY_LENGTH)
    national = len(digits) - len(code)
    if national not in lengths:
        wanted = str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
        return f"has {national} digits behind +{code}; numbers there have {wanted}."
    return None


def _refuse_national(digits: str) -> None:
    """Ten digits that North America would dial: which country is meant must be written."""
    if _NANP_NATIONAL.fullmatch(digits) is None:
        return
    other = "" if _problem(digits) is not None else f" Outside of North America write +{digits}."
    raise InvalidNumber(f"{_quoted(digits)} has no country code.{other}", f"+1{digits}")


def _unreadable(text: str) -> InvalidNumber:
    if not text.strip():
        return InvalidNumber("The number is empty.")
    return InvalidNumber(
        f"{_quoted(text)} is not written as E.164: + and digits only, such as +14155550100.",
        _suggestion(text),
    )


def _suggestion(text: str) -> str | None:
    """The number that ``text`` is another way of writing."""
    if len(text) > MAX_IDENTITY:
        return None
    bare = _SEPARATORS.sub("", _TRUNK_ZERO.sub("", text.strip().removeprefix("tel:")))
    plus = bare.startswith("+")
    digits = bare.removeprefix("+")
    if _DIGITS.fullmatch(digits) is None:
        return None
    readings = [] if plus else [digits[len(p) :] for p in _PREFIXES if digits.startswith(p)]
    if not plus and _NANP_NATIONAL.fullmatch(digits):
        readings.append(f"1{digits}")
    readings.append(digits)
    possible = (reading for reading in readings if _problem(reading) is None)
    found = next(possible, None)
    return None if found is None or f"+{found}" == text else f"+{found}"


def _quoted(text: str) -> str:
    shown = text if len(text) <= QUOTE_LENGTH else text[:QUOTE_LENGTH] + "..."
    return '"' + "".join(each if each.isprintable() else "?" for each in shown) + '"'
