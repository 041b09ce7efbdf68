"""Let a TLS server say why it refuses a handshake.

asyncio and uvloop drop a connection whose handshake failed without sending the alert that OpenSSL
wrote for the peer, which then sees a reset and can tell neither a version that is too old from a
missing client certificate nor either from a broken network.
"""

from __future__ import annotations

import ssl

__all__ = ["AlertingSession", "send_alerts"]


class AlertingSession(ssl.SSLObject):
    """TLS session that reports a failed handshake only when it is asked again.

    In between it asks for more data, and before waiting for that, event loops flush what is
    unsent: the alert. The peer closes on it; one that does not meets the handshake timeout.
    """

    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        """Shake hands as far as the received bytes allow. Raises ``ssl.SSLError``."""
        if self._failure is not None:
            raise self._failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLSyscallError):
            raise
        except ssl.SSLError as error:
            self._failure = error
            raise ssl.SSLWantReadError from error


def send_alerts(context: ssl.SSLContext) -> None:
    """Make the sessions of a server's context send their alerts."""
    context.sslobject_class = AlertingSession
