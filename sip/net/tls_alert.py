"""Let a TLS server say why it refuses a handshake.

asyncio and uvloop drop a connection whose handshake failed without sending the alert that OpenSSL
wrote for the peer, which then sees a reset and can tell neither a version that is too old from a
missing client certificate nor either from a broken network.
"""

from __future__ import annotations

import ssl

__all__ = ["AlertingContext", "AlertingSession"]


class AlertingSession(ssl.SSLObject):
    """TLS session that reports a failed handshake only after its alert was taken.

    In between it asks for more data, and before waiting for that, event loops send what is
    written. The peer closes on the alert; one that does not meets the handshake timeout.
    """

    outgoing: ssl.MemoryBIO | None = None
    """Where OpenSSL writes."""

    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        """Shake hands as far as the received bytes allow. Raises ``ssl.SSLError``."""
        if self._failure is not None:
            raise self._failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if self.outgoing is None or not self.outgoing.pending:
                raise
            self._failure = error
            raise ssl.SSLWantReadError from error


class AlertingContext(ssl.SSLContext):
    """Context for servers whose sessions send their alerts."""

    sslobject_class = AlertingSession

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As ``ssl.SSLContext.wrap_bio``, which event loops call for each connection."""
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(made, AlertingSession):
            made.outgoing = outgoing
        return made
