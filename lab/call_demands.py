"""What a peer makes of an INVITE before a telephone rings: a refusal, or the script of the call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lab.behaviour import Behaviour, Refusal
from lab.call_manner import Step
from sip.message import Request
from sip.uri import SipUri

__all__ = ["refusal_of_call", "script_of"]

# Field values that a peer of the wild would send with these codes, so that there is a reason to read.
_FIELDS_BY_STATUS = {
    404: (("Reason", 'Q.850;cause=1;text="Unallocated (unassigned) number"'),),
    408: (("Reason", 'Q.850;cause=102;text="Recovery on timer expiry"'),),
    480: (("Reason", 'Q.850;cause=18;text="No user responding"'),),
    484: (("Reason", 'Q.850;cause=28;text="Invalid number format"'),),
    486: (("Reason", 'Q.850;cause=17;text="User busy"'),),
    500: (("Reason", 'Q.850;cause=41;text="Temporary failure"'),),
    503: (("Reason", 'Q.850;cause=34;text="No circuit available"'), ("Retry-After", "30")),
    603: (("Reason", 'Q.850;cause=21;text="Call rejected"'),),
}


def refusal_of_call(behaviour: Behaviour, request: Request) -> Refusal | None:
    """The refusal of an INVITE outside a dialog; ``None`` when its script begins."""
    manner = behaviour.calls
    if manner.refuses_plus and _user(request).startswith("+"):
        return Refusal(404, _FIELDS_BY_STATUS[404])
    if manner.demands_identity and "P-Asserted-Identity" not in request.headers:
        return Refusal(403, (("Reason", 'Q.850;cause=57;text="Bearer capability not authorized"'),))
    known = {tag.lower() for name in ("Supported", "Require") for tag in request.tokens(name)}
    if manner.refuses_extension in known:
        return Refusal(420, (("Unsupported", manner.refuses_extension or ""),))
    demanded = manner.demands_extension
    if demanded is None and any(step.reliable for step in manner.script):
        demanded = "100rel"
    if demanded is not None and demanded not in known:
        return Refusal(421, (("Require", demanded),))
    if manner.min_se is not None and _min_se(request) < manner.min_se:
        return Refusal(422, (("Min-SE", str(manner.min_se)),))
    return None


def script_of(behaviour: Behaviour, request: Request) -> tuple[Step, ...]:
    """The responses to an INVITE that was let in."""
    manner = behaviour.calls
    if behaviour.never_finishes:
        return (Step(100),)
    script = manner.script
    wanted = _user(request)
    if manner.status_by_user and len(wanted) == 3 and wanted.isascii() and wanted.isdigit():
        script = _script_of_status(int(wanted)) or script
    if behaviour.delay > timedelta(0) and len(script) > 1:
        first, second, *rest = script
        script = (first, replace(second, wait=second.wait + behaviour.delay), *rest)
    return script


def _script_of_status(status: int) -> tuple[Step, ...] | None:
    if not 300 <= status <= 699:
        return None
    return Step(100), Step(status, header_fields=_FIELDS_BY_STATUS.get(status, ()))


def _user(request: Request) -> str:
    return (request.uri.user or "") if isinstance(request.uri, SipUri) else ""


def _min_se(request: Request) -> int:
    return int((request.headers.get("Min-SE") or "0").partition(";")[0])
