"""How a call ended: when, by whom, and why.

Sources: RFC 3261 9 (CANCEL), 13.2.2.4 (several 2xx, each dialog with a BYE of its own), 15 (BYE);
RFC 3326 (Reason); RFC 3398 8.2.6.1 (what a final response amounts to in Q.850).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.live_call import HangupSide
from domain.live_call_scene import Scene
from domain.live_call_sighting import CauseSeen, Sighting
from domain.q850 import Q850

__all__ = ["Hangup", "awaits_retry", "hangup_of", "was_cancelled"]

NORMAL_CLEARING: Final = 16
# A caller that has credentials, another target or a longer session interval asks again at once:
# RFC 3261 8.1.3.4 and 22.2, RFC 3329, RFC 4028 7.1.
_RETRIED: Final = frozenset({401, 407, 422, 494, *range(300, 400)})
_Q850_OF_STATUS: Final = {
    400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22,
    413: 127, 414: 127, 415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41,
    482: 25, 483: 25, 484: 28, 485: 1, 486: 17, 487: 16, 488: 88, 500: 41, 501: 79, 502: 38,
    503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1, 606: 88,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """``at`` is in microseconds since 1970. ``cause`` are words for people."""

    at: int
    side: HangupSide | None
    cause: str | None
    q850: int | None


def awaits_retry(scene: Scene) -> bool:
    """Whether the caller was refused in a way that asks for another INVITE."""
    refusal = scene.refusal
    return scene.answer is None and refusal is not None and refusal.status in _RETRIED


def was_cancelled(scene: Scene) -> bool:
    """Whether a CANCEL of the counting attempt was seen on the caller's way."""
    return any(
        each.cseq == scene.number and each.source == scene.invite.source
        for each in scene.of_method("CANCEL")
    )


def hangup_of(scene: Scene, refusal: Sighting | None) -> Hangup | None:
    """The end of the call; None while it goes on, or when its end was not captured.

    ``refusal`` is the final response by which it ended if there was no answer.
    """
    if scene.answer is None and refusal is not None:
        return _refused(scene, refusal)
    byes = _ending_byes(scene)
    if not byes:
        return None
    said = next((each.cause for each in byes if each.cause is not None), None)
    cause = _known(said, NORMAL_CLEARING)
    return Hangup(at=byes[0].at, side=_side_of_bye(scene, byes), cause=cause[1], q850=cause[0])


def _refused(scene: Scene, refusal: Sighting) -> Hangup:
    cancels = [each for each in scene.of_method("CANCEL") if each.cseq == scene.number]
    same = [each for each in scene.responses if each.status == refusal.status]
    said = next((e.cause for e in (refusal, *same, *cancels) if e.cause is not None), None)
    if not cancels:
        side = None
    elif refusal.status == 487 or was_cancelled(scene):
        side = HangupSide.CALLER
    else:
        # Losing branches are cancelled as well; the server ended the call when its refusal is its own.
        passed_on = any(each not in scene.told for each in same)
        side = None if passed_on else HangupSide.PROXY
    q850, cause = _known(said, _Q850_OF_STATUS.get(refusal.status))
    return Hangup(at=refusal.at, side=side, cause=cause, q850=q850)


def _ending_byes(scene: Scene) -> list[Sighting]:
    """The BYE messages, in order, of the dialog that ended last; none while one goes on.

    A caller that two branches answered keeps one dialog and ends the other, so each must have ended.
    A response to a BYE that was not captured stands for it.
    """
    answered = {each.to_tag for each in scene.told if 200 <= each.status < 300}
    if not answered:
        answered = {each.to_tag for each in scene.responses if 200 <= each.status < 300}
    ended: dict[str, list[Sighting]] = {}
    for bye in scene.of_method("BYE"):
        if bye.from_tag == scene.caller_tag:
            ended.setdefault(bye.to_tag, []).append(bye)
        elif bye.to_tag == scene.caller_tag:
            ended.setdefault(bye.from_tag, []).append(bye)
    if any(tag not in ended for tag in answered):
        return []
    of_call = [ended[tag] for tag in answered] or list(ended.values())
    return max(of_call, key=lambda byes: byes[0].at, default=[])


def _side_of_bye(scene: Scene, byes: list[Sighting]) -> HangupSide:
    tag = byes[0].from_tag
    requests = [each for each in byes if not each.status and each.from_tag == tag]
    if requests and all(each.source in scene.relays for each in requests):
        return HangupSide.PROXY
    return HangupSide.CALLER if tag == scene.caller_tag else HangupSide.CALLEE


def _known(said: CauseSeen | None, otherwise: int | None) -> tuple[int | None, str | None]:
    """Cause and words; what no peer said is left to what the end amounts to."""
    q850 = otherwise if said is None or said.q850 is None else said.q850
    known = Q850.get(q850) if q850 is not None else None
    words = known.text if known is not None else None
    return q850, (said.text or words) if said is not None else words
