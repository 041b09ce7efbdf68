"""What a message says of its cause: Reason, Warning, Retry-After, Q.850 and headers of vendors.

Sources: RFC 3326 (Reason), RFC 3261 20.33 and 20.43 (Retry-After, Warning), RFC 5630 6.3 (warnings
380 and 381), Microsoft's [MS-OCER] (ms-diagnostics). Everything was sent by a peer: bounded, never
trusted, and what cannot be read is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.q850 import Q850, q850_of_name
from domain.replies import MAX_RETRY_AFTER, shown
from sip.dialog_state import Said

__all__ = ["Clues", "clues_of"]

MAX_ITEMS: Final = 16  # warnings, reasons or vendor headers of one message that are looked at

_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
_REASON = re.compile(rf"\s*+([A-Za-z0-9.\-_]++)\s*+((?:;(?:[^\",]|{_QUOTED})*+)?)")
_CAUSE = re.compile(r";\s*+cause\s*+=\s*+\"?([0-9]{1,4})(?![0-9])", re.IGNORECASE)
_TEXT = re.compile(rf";\s*+text\s*+=\s*+(?:{_QUOTED}|([^;,\"]++))", re.IGNORECASE)
_WARNING = re.compile(rf"\s*+([0-9]{{3}})\s++([^\s\"]++)\s++{_QUOTED}")
_MS_REASON = re.compile(rf"^\s*+([0-9]{{1,6}})\s*+;.*?\breason\s*+=\s*+{_QUOTED}", re.IGNORECASE)
_TWILIO = re.compile(r"^\s*+([0-9]{4,6})(?![0-9])")
_WORD = re.compile(r"[a-z0-9]++")
_PAIR = re.compile(r"\\(.)")

# Names under which vendors say why a call ended, such as X-Asterisk-HangupCause, P-Hangup-Cause.
_TELLING_NAME = re.compile(r"hangup|cause|error|reason|disconnect", re.IGNORECASE)

_WARNINGS: Final = {
    300: "a network protocol of the session description is not available",
    301: "a network address format of the session description is not available",
    302: "a transport protocol of the session description is not available",
    303: "a bandwidth unit of the session description is not understood",
    304: "a kind of media in the session description is not available",
    305: "a media format (codec) of the session description is not available",
    306: "an attribute of the session description is not understood",
    307: "a parameter of the session description is not understood",
    330: "multicast is not available",
    331: "unicast is not available",
    370: "there is not enough bandwidth",
    380: "SIPS is not allowed",
    381: "SIPS is required",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What was read. ``text`` is all of the peer's own words in lower case, a space around each.

    ``warn_codes`` and ``warnings``, ``reasons`` are in the peer's order; ``vendor`` is what vendor
    headers say, ``agent`` who wrote the first Warning. ``retry_after`` is in seconds.
    """

    q850: int | None = None
    q850_text: str | None = None
    warn_codes: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    agent: str | None = None
    reasons: tuple[str, ...] = ()
    retry_after: int | None = None
    twilio_error: int | None = None
    microsoft_code: int | None = None
    vendor: tuple[str, ...] = ()
    text: str = ""

    def mention(self, *phrases: str) -> bool:
        """Whether the peer used one of ``phrases``: lower case words; ``*`` ends a beginning."""
        return any(
            f" {phrase[:-1]}" in self.text if phrase.endswith("*") else f" {phrase} " in self.text
            for phrase in phrases
        )


def clues_of(said: Said, reason_phrase: str = "") -> Clues:
    """Read what a message said; never raises."""
    reasons = list(_reasons(said.reasons))
    warnings = [match for value in said.warnings[:MAX_ITEMS] for match in _warnings(value)]
    vendor = list(_vendor(said.details))
    q850 = next((each.cause for each in reasons if each.protocol == "Q.850"), None)
    if q850 is None:
        q850 = next((cause for _, _, cause in vendor if cause is not None), None)
    known = Q850.get(q850) if q850 is not None else None
    said_vendor = [f"{name}: {value}" for name, value, _ in vendor]
    warning_texts = [_warning_words(code, text) for code, _, text in warnings]
    unread = [shown(value) for value in said.warnings[:MAX_ITEMS] if not _WARNING.match(value)]
    own_words = [each.text for each in reasons] + [text for _, _, text in warnings]
    everything = [reason_phrase, *own_words, *unread, *said_vendor]
    return Clues(
        q850=q850,
        q850_text=known.text if known else None,
        warn_codes=tuple(code for code, _, _ in warnings),
        warnings=(*warning_texts, *unread),
        agent=next((agent for _, agent, _ in warnings if agent not in ("-", "")), None),
        reasons=tuple(_reason_words(each) for each in reasons),
        retry_after=_retry_after(said.retry_after),
        twilio_error=_number(said.details, "x-twilio-error", _TWILIO),
        microsoft_code=_microsoft(said.details),
        vendor=tuple(said_vendor),
        text=f" {' '.join(_WORD.findall(' '.join(map(shown, everything)).lower()))} ",
    )


class _Reason(NamedTuple):
    protocol: str
    cause: int | None
    text: str


def _reasons(values: Iterable[str]) -> Iterator[_Reason]:
    for value in [*values][:MAX_ITEMS]:
        for match in _REASON.finditer(value[: 4 * 1024]):
            protocol, parameters = match[1].upper(), match[2]
            if not parameters and protocol != "Q.850":
                continue
            cause, text = _CAUSE.search(parameters), _TEXT.search(parameters)
            words = _unquoted(text[1] or text[2] or "") if text else ""
            yield _Reason(shown(protocol), int(cause[1]) if cause else None, words)


def _reason_words(reason: _Reason) -> str:
    """A reason as it is shown, with our words for a Q.850 cause that came without any."""
    known = Q850.get(reason.cause or 0) if reason.protocol == "Q.850" else None
    told = f'"{reason.text}"' if reason.text else (known.text if known else "")
    head = f"{reason.protocol} {reason.cause}" if reason.cause is not None else reason.protocol
    return f"{head}: {told}" if told else head


def _warnings(value: str) -> Iterator[tuple[int, str, str]]:
    for match in _WARNING.finditer(value[: 4 * 1024]):
        yield int(match[1]), shown(match[2]), _unquoted(match[3])


def _warning_words(code: int, text: str) -> str:
    known = _WARNINGS.get(code)
    told = f'"{text}"' if text else ""
    return f"{code} {told} ({known})" if known and told else f"{code} {told or known or ''}".strip()


def _vendor(details: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, int | None]]:
    """Name, value and the Q.850 cause in it, of headers whose name promises a cause."""
    found = 0
    for name, value in details:
        lower = name.lower()
        microsoft = lower.startswith("ms-diagnostics")
        if not microsoft and not (lower[:2] in ("x-", "p-") and _TELLING_NAME.search(name)):
            continue
        found += 1
        if found > MAX_ITEMS:
            return
        words = _MS_REASON.match(value[: 4 * 1024]) if microsoft else None
        told = f"{words[1]} {_unquoted(words[2])}" if words else shown(value)
        yield shown(name), told, None if microsoft or "twilio" in lower else _cause_in(value)


def _cause_in(value: str) -> int | None:
    """The cause in a vendor's header: the value, its name, or a Reason in it."""
    cause = _CAUSE.search(f";{value[:1024]}")
    if cause:
        return int(cause[1])
    text = value[:128].strip().strip('"')
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return int(text) if int(text) in Q850 else None
    return q850_of_name(text)


def _number(details: Iterable[tuple[str, str]], name: str, pattern: re.Pattern[str]) -> int | None:
    for header, value in details:
        match = pattern.match(value[:1024]) if header.lower() == name else None
        if match:
            return int(match[1])
    return None


def _microsoft(details: Iterable[tuple[str, str]]) -> int | None:
    own = [(name, value) for name, value in details if name.lower().startswith("ms-diagnostics")]
    return next((int(match[1]) for _, value in own if (match := _MS_CODE.match(value))), None)


_MS_CODE = re.compile(r"\s*+([0-9]{1,6})(?![0-9])")


def _retry_after(text: str | None) -> int | None:
    """Seconds of a Retry-After, which may carry a comment and parameters (RFC 3261 20.33)."""
    digits = (text or "").partition(";")[0].partition("(")[0].strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    return min(int(digits[:9]), MAX_RETRY_AFTER)


def _unquoted(text: str) -> str:
    return shown(_PAIR.sub(r"\1", text))
