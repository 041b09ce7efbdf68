"""What one telephone has agreed on with its caller, and its media."""

from __future__ import annotations

from lab.call_manner import MediaManner
from lab.call_media import MediaLine
from lab.call_sdp import Agreement, SessionDescriber
from sip.media_verdict import MediaVerdict

__all__ = ["MediaExchange"]


class MediaExchange:
    """Offer, answer and media of one dialog. Opening it raises ``OSError`` when no port is free."""

    def __init__(self, manner: MediaManner, address: str) -> None:
        self._line = MediaLine(address, manner.sound)
        self._describer = SessionDescriber(manner, manner.shown_address or address, self._line.port)
        self._agreement: Agreement | None = None
        self._begun: Agreement | None = None
        self.awaits_answer = False
        """Whether the last offer is this side's and unanswered."""

    @property
    def verdict(self) -> MediaVerdict | None:
        """What is known of the caller's media, once the exchange is closed."""
        return self._line.verdict

    def answer(self, offer: bytes) -> bytes:
        """The answer to an offer of the caller. Raises ``OfferRefused``."""
        body, self._agreement = self._describer.answer(offer)
        return body

    def offer(self) -> bytes:
        """An offer to the caller."""
        self.awaits_answer = True
        return self._describer.offer()

    def accept(self, answer: bytes) -> None:
        """Take the caller's answer and talk. Raises ``OfferRefused`` when it is no SDP."""
        self.awaits_answer = False
        self._agreement = self._describer.accept(answer)
        self.begin()

    def begin(self) -> None:
        """Talk as agreed last; does nothing when it is done already."""
        if self._agreement is not None and self._agreement is not self._begun:
            self._begun = self._agreement
            self._line.start(self._agreement)

    def close(self) -> None:
        """Fall silent; idempotent."""
        self._line.close()
