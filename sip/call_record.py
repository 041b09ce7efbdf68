"""Collects what happens to one INVITE into its facts; the owner tells it everything in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sip.authenticator import Credentials
from sip.call_facts import (
    AgreedMedia,
    ChallengeFacts,
    FinalFacts,
    InviteFacts,
    OfferFacts,
    ProvisionalFacts,
)
from sip.dialog_state import (
    Answered,
    Calling,
    Challenged,
    EarlyMedia,
    Ended,
    Failed,
    FailureCause,
    IntervalRaised,
    OtherForkEnded,
    PeerRequest,
    Progress,
    Said,
    SessionEvent,
    Trying,
)
from sip.digest import Challenge, DigestError, choose_challenge, parse_challenges
from sip.errors import RemoteProtocolError
from sip.message import Message, Request, Response

__all__ = ["CallRecord"]

MAX_KEPT: Final = 32
"""Entries kept of each list that the peer can make long."""

_CHALLENGING: Final = ("WWW-Authenticate", "Proxy-Authenticate")


class CallRecord:
    """The facts of the INVITE to one target. ``started`` is its time on the owner's clock."""

    def __init__(
        self,
        *,
        request_uri: str,
        from_uri: str,
        sip_call_id: str,
        started_at: datetime,
        started: float,
        offer: OfferFacts,
        credentials: Credentials | None,
    ) -> None:
        self.tags: set[str] = set()
        """To tags of the phones that rang or answered: more than one means that the call forked."""
        self.invite_left = False
        """Whether an INVITE went out on the wire."""
        self._started = started
        self._credentials = credentials
        self._answered: float | None = None
        self._bye_sent: float | None = None
        self._successes: set[str] = set()
        self._facts = InviteFacts(
            request_uri=request_uri,
            from_uri=from_uri,
            sip_call_id=sip_call_id,
            started_at=started_at,
            offer=offer,
        )

    @property
    def facts(self) -> InviteFacts:
        """What is known so far."""
        return self._facts

    @property
    def heard_anything(self) -> bool:
        """Whether the peer has answered in any way."""
        facts = self._facts
        return bool(facts.provisionals or facts.final or facts.challenges)

    def agreed(self, media: AgreedMedia) -> None:
        """Note what offer and answer agreed on."""
        self._set(agreed=media)

    def sent(self, message: Message, *, retransmission: bool, now: float) -> None:
        """Note a message of ours on the wire."""
        if not isinstance(message, Request):
            return
        facts = self._facts
        self.invite_left = self.invite_left or message.method == "INVITE"
        if message.method == "INVITE" and retransmission:
            self._set(retransmissions=facts.retransmissions + 1)
        elif message.method == "ACK" and self._answered is not None and facts.acked_ms is None:
            self._set(acked_ms=self._ms(now))
        elif message.method == "BYE" and self._bye_sent is None and self._answered is not None:
            self._bye_sent = now
            self._set(talk_ms=1000 * (now - self._answered))

    def received(self, message: Message) -> None:
        """Note a message of the peer before the session has it."""
        if not isinstance(message, Response) or message.cseq.method != "INVITE":
            return
        tag = message.to.tag or ""
        if 100 < message.status < 300 and len(self.tags) < MAX_KEPT:
            self.tags.add(tag)
        if 200 <= message.status < 300:
            if tag in self._successes:
                self._set(peer_retransmissions=self._facts.peer_retransmissions + 1)
            elif len(self._successes) < MAX_KEPT:
                self._successes.add(tag)

    def event(self, event: SessionEvent) -> None:
        """Note an event of the session."""
        facts = self._facts
        match event:
            case Calling(_, attempt):
                self._set(attempts=attempt)
            case Challenged(at, status, method, said):
                self._challenged(at, status, method, said, refused=False)
            case IntervalRaised(_, min_se):
                self._set(min_se=min_se)
            case Trying(at):
                self._provisional(ProvisionalFacts(status=100, reason="Trying", ms=self._ms(at)))
            case Progress(at, status, reason, _, reliable):
                self._provisional(
                    ProvisionalFacts(
                        status=status, reason=reason, ms=self._ms(at), reliable=reliable
                    )
                )
            case EarlyMedia():
                if facts.provisionals:
                    last = replace(facts.provisionals[-1], early_media=True)
                    self._set(provisionals=(*facts.provisionals[:-1], last))
            case Answered(at, status, reason, _, _, said):
                self._answered = at
                final = FinalFacts(status=status, reason=reason, ms=self._ms(at), said=said)
                self._set(final=final, answered_ms=self._ms(at))
            case Failed():
                self._failed(event)
            case Ended(at, by, _, status, said):
                self._set(ended_by=by, ended_ms=self._ms(at), ended_said=said, bye_status=status)
                if self._bye_sent is None and self._answered is not None:
                    self._set(talk_ms=1000 * (at - self._answered))
                elif self._bye_sent is not None and status is not None:
                    self._set(bye_ms=1000 * (at - self._bye_sent))
            case OtherForkEnded():
                self._set(forks_ended=facts.forks_ended + 1)
            case PeerRequest(_, method):
                if len(facts.peer_requests) < MAX_KEPT:
                    self._set(peer_requests=(*facts.peer_requests, method))

    def _failed(self, event: Failed) -> None:
        if event.cause is FailureCause.UNAUTHORIZED and event.status is not None:
            self._challenged(event.at, event.status, "INVITE", event.said, refused=True)
        if event.status is not None:
            final = FinalFacts(
                status=event.status, reason=event.reason, ms=self._ms(event.at), said=event.said
            )
            self._set(final=final)
        self._set(failure=event.cause, failure_reason=event.reason, failed_ms=self._ms(event.at))

    def _provisional(self, facts: ProvisionalFacts) -> None:
        if len(self._facts.provisionals) < MAX_KEPT:
            self._set(provisionals=(*self._facts.provisionals, facts))

    def _challenged(self, at: float, status: int, method: str, said: Said, refused: bool) -> None:
        if len(self._facts.challenges) >= MAX_KEPT:
            return
        challenges = _challenges_in(said)
        answered, why_not = self._answer(challenges, refused)
        facts = ChallengeFacts(
            status=status,
            method=method,
            realm=challenges[0].realm if challenges else "",
            algorithms=tuple(challenge.offer for challenge in challenges[:MAX_KEPT]),
            stale=any(challenge.stale for challenge in challenges),
            ms=self._ms(at),
            answered=answered,
            why_not=why_not,
        )
        self._set(challenges=(*self._facts.challenges, facts))

    def _answer(
        self, challenges: tuple[Challenge, ...], refused: bool
    ) -> tuple[str | None, str | None]:
        """The algorithm of our credentials, or why there were none."""
        credentials = self._credentials
        if credentials is None:
            return None, "no credentials"
        if credentials.realm is not None:
            challenges = tuple(c for c in challenges if c.realm == credentials.realm)
            if not challenges:
                return None, "realm"
        try:
            chosen = choose_challenge(challenges, minimum=credentials.minimum)
        except DigestError:
            return None, "algorithm"
        return (None, "refused again") if refused else (str(chosen.algorithm), None)

    def _ms(self, at: float) -> float:
        return 1000 * (at - self._started)

    def _set(self, **changes: Any) -> None:
        self._facts = replace(self._facts, **changes)


def _challenges_in(said: Said) -> tuple[Challenge, ...]:
    found: list[Challenge] = []
    for name, value in said.details:
        if name in _CHALLENGING:
            try:
                found += parse_challenges(value)
            except RemoteProtocolError:
                continue
    return tuple(found)
