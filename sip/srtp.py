"""SRTP and SRTCP with keys from SDP (RFC 3711, RFC 4568); the cryptography is libsrtp's.

Only the default session parameters of RFC 4568 are here: encrypted, authenticated, key derivation
rate 0, no MKI.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from pylibsrtp import Error, Policy, Session

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.rtp import VERSION

KEY_BYTES = 16
SALT_BYTES = 14

# libsrtp keeps a stream for each SSRC that ever authenticated, so a peer must not have many.
MAX_SOURCES = 32

# The RTP header and the shortest tag; an SRTCP packet is no shorter.
_SHORTEST = 16


class SrtpSuite(StrEnum):
    """The crypto-suites of RFC 4568 section 6.2 that are spoken here.

    The `_32` suite shortens the tag of RTP only: RTCP keeps 80 bits (RFC 3711 section 5.2).
    """

    AES_CM_128_HMAC_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_CM_128_HMAC_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"


class SrtpFailure(StrEnum):
    """Why a packet from the peer was not accepted."""

    AUTHENTICATION = "authentication"  # another key, a changed packet, or no SRTP at all
    REPLAY = "replay"
    MALFORMED = "malformed"
    TOO_MANY_SOURCES = "too_many_sources"


class SrtpError(RemoteProtocolError):
    """A packet of the peer that SRTP does not accept, and why."""

    def __init__(self, failure: SrtpFailure) -> None:
        super().__init__(f"SRTP: {failure}")
        self.failure = failure


_PROFILES = {
    SrtpSuite.AES_CM_128_HMAC_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SrtpSuite.AES_CM_128_HMAC_SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}

# The library raises one class for everything and keeps its status code to itself.
_FAILURES = {
    "authentication failure": SrtpFailure.AUTHENTICATION,
    "replay check failed (bad index)": SrtpFailure.REPLAY,
    "replay check failed (index too old)": SrtpFailure.REPLAY,
    "packet index is too old to consider": SrtpFailure.REPLAY,
}


class SrtpSession:
    """Both directions of one media stream.

    `local_key` protects what is sent, `remote_key` opens what comes; each is master key and master
    salt, 30 octets (RFC 4568 section 6.1). `failures` counts the refused packets of the peer,
    `authenticated` the accepted ones. Raises LocalProtocolError for a key of another length.
    """

    def __init__(self, suite: SrtpSuite, *, local_key: bytes, remote_key: bytes) -> None:
        self.suite = suite
        self.authenticated = 0
        self.failures: Counter[SrtpFailure] = Counter()
        self._sources: set[bytes] = set()
        self._outbound = _session(suite, local_key, Policy.SSRC_ANY_OUTBOUND)
        self._inbound = _session(suite, remote_key, Policy.SSRC_ANY_INBOUND)

    def __repr__(self) -> str:
        return f"<SrtpSession {self.suite}>"

    def protect_rtp(self, packet: bytes) -> bytes:
        """Encrypts and signs an RTP packet; raises LocalProtocolError when it cannot."""
        return _protect(self._outbound.protect, packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Encrypts and signs a compound RTCP packet; raises LocalProtocolError when it cannot."""
        return _protect(self._outbound.protect_rtcp, packet)

    def unprotect_rtp(self, packet: bytes) -> bytes:
        """The RTP packet inside; raises SrtpError and counts it when there is none to trust."""
        return self._unprotect(self._inbound.unprotect, packet, packet[8:12])

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The RTCP packet inside; raises SrtpError and counts it when there is none to trust."""
        return self._unprotect(self._inbound.unprotect_rtcp, packet, packet[4:8])

    def _unprotect(self, method: Callable[[bytes], bytes], packet: bytes, ssrc: bytes) -> bytes:
        # The library does not look at the version, so STUN would pass for a wrong key.
        if len(packet) < _SHORTEST or packet[0] >> 6 != VERSION:
            raise self._refused(SrtpFailure.MALFORMED)
        if ssrc not in self._sources and len(self._sources) >= MAX_SOURCES:
            raise self._refused(SrtpFailure.TOO_MANY_SOURCES)
        try:
            plain = method(packet)
        except Error as error:
            raise self._refused(_FAILURES.get(str(error), SrtpFailure.MALFORMED)) from None
        except ValueError:
            raise self._refused(SrtpFailure.MALFORMED) from None
        self._sources.add(ssrc)
        self.authenticated += 1
        return plain

    def _refused(self, failure: SrtpFailure) -> SrtpError:
        self.failures[failure] += 1
        return SrtpError(failure)


def _session(suite: SrtpSuite, key: bytes, ssrc_type: int) -> Session:
    if len(key) != KEY_BYTES + SALT_BYTES:
        raise LocalProtocolError("an SRTP key and its salt are 30 octets")
    return Session(Policy(key=key, ssrc_type=ssrc_type, srtp_profile=_PROFILES[suite]))


def _protect(method: Callable[[bytes], bytes], packet: bytes) -> bytes:
    try:
        return method(packet)
    except (Error, ValueError) as error:
        raise LocalProtocolError(f"SRTP cannot protect the packet: {error}") from None
