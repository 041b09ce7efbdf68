"""Words for replies to OPTIONS: what the peer said, and what its owner should change.

Source: RFC 3261 21; the causes are those that operators of trunks meet behind each code.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.replies import SipReply

__all__ = ["Explanation", "explain_options_reply"]


class Explanation(BaseModel):
    """What happened, in words for the owner of a trunk, and what to change. Full sentences."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    what: str
    change: str | None = None

    def __str__(self) -> str:
        return f"{self.what} {self.change}" if self.change else self.what


def explain_options_reply(reply: SipReply, *, source_address: str | None = None) -> Explanation:
    """The reply in words. ``source_address`` is the address our request came from, if known."""
    status = f"{reply.status} {reply.reason}".strip()
    ours = f"our address {source_address}" if source_address else "our addresses"
    if reply.status == 503:
        return _unavailable(reply, status, ours)
    what, change = _EXPLANATIONS.get(reply.status) or _BY_CLASS[reply.status // 100]
    what = what.format(status=status)
    if reply.realm and reply.status in (401, 407):
        what = f'{what} The realm is "{reply.realm}".'
    if reply.warning and reply.status >= 300:
        what = f"{what} It adds: {reply.warning}"
        what = what if what.endswith(".") else f"{what}."
    return Explanation(what=what, change=change.format(ours=ours) if change else None)


def _unavailable(reply: SipReply, status: str, ours: str) -> Explanation:
    if reply.warning and "device handler" in reply.warning.lower():
        return Explanation(
            what=f"It answered {status}: a Cisco UCM that has no SIP trunk for our address.",
            change=f"Add a SIP trunk with {ours} as its destination to the Cisco UCM.",
        )
    if reply.retry_after:
        return Explanation(
            what=f"It answered {status}: it takes no calls for the next {_duration(reply.retry_after)}.",
            change="It is in maintenance or overloaded; try again after that time.",
        )
    return Explanation(
        what=f"It answered {status}: it takes no calls now.",
        change="It is overloaded, in maintenance, has no route, or does not know our address. "
        f"Check its state and whether it knows {ours}.",
    )


def _duration(seconds: int) -> str:
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {unit}"
    return f"{seconds} seconds"


_CREDENTIALS = (
    "It answered {status}: it asks for credentials, which is a good sign.",
    "Enter the user name and password of the trunk, or have {ours} allowed without them.",
)
_ALIVE = "It answered {status}: it speaks SIP, although it does not serve this kind of request."

_EXPLANATIONS: dict[int, tuple[str, str | None]] = {
    400: (
        "It answered {status}: it speaks SIP, but finds the request malformed for itself.",
        "Look at what it objects to: often the host in the request or the transport in Via.",
    ),
    401: _CREDENTIALS,
    402: ("It answered {status}: the account has no credit.", "Settle the provider's account."),
    403: (
        "It answered {status}: it speaks SIP, but does not accept us.",
        "Add {ours} to its allow-list, or enter the credentials it expects.",
    ),
    404: (
        "It answered {status}: it speaks SIP, but does not know the domain or user asked for.",
        "Calls can work all the same; check the domain if they do not.",
    ),
    405: (_ALIVE, None),
    406: (_ALIVE, None),
    407: _CREDENTIALS,
    408: (
        "It answered {status}: the server behind it did not answer in time.",
        "Check the connection between the proxy that answered and the PBX behind it.",
    ),
    415: (_ALIVE, None),
    416: (
        "It answered {status}: it does not accept this kind of URI.",
        "Use a sip: URI with transport=tls instead of sips:.",
    ),
    420: (
        "It answered {status}: it demands or refuses an extension of SIP.",
        "Switch session timers or 100rel for this trunk.",
    ),
    480: (
        "It answered {status}: what is behind it is not registered or has no free channel.",
        "Check that the PBX is registered and how many calls the trunk may carry.",
    ),
    481: (_ALIVE, None),
    482: (
        "It answered {status}: the request comes back to where it was.",
        "Check that the trunk does not route to itself.",
    ),
    483: (
        "It answered {status}: the request passes too many proxies, which points to a loop.",
        "Check that the trunk does not route to itself.",
    ),
    486: ("It answered {status}: it speaks SIP and is busy.", "Check how many calls it may carry."),
    488: (_ALIVE, None),
    500: (
        "It answered {status}: it speaks SIP, but failed on the request.",
        "Look into its log at the time of this attempt.",
    ),
    501: (_ALIVE, None),
    502: (
        "It answered {status}: the server behind it gave an answer it could not use.",
        "Check the connection between the proxy that answered and the server behind it.",
    ),
    504: (
        "It answered {status}: it could not reach or resolve the server behind it.",
        "Check the connection between the proxy that answered and the server behind it.",
    ),
    505: ("It answered {status}: it does not speak SIP 2.0.", "Check which service this port is."),
    513: (
        "It answered {status}: the request is too large for it.",
        "Use TCP or TLS instead of UDP.",
    ),
    600: ("It answered {status}: it speaks SIP and is busy.", "Check how many calls it may carry."),
    603: (
        "It answered {status}: it speaks SIP, but declines.",
        "Check its allow-list and its rules for {ours}.",
    ),
}

_BY_CLASS: dict[int, tuple[str, str | None]] = {
    2: ("It answered {status}: it speaks SIP here.", None),
    3: (
        "It answered {status}: it sends us to another server.",
        "Enter the server that it names as the destination.",
    ),
    4: ("It answered {status}: it speaks SIP, but refused the request.", None),
    5: (
        "It answered {status}: it speaks SIP, but failed on the request.",
        "Look into its log at the time of this attempt.",
    ),
    6: ("It answered {status}: it speaks SIP, but refused the request.", None),
}
