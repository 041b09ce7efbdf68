"""TLS contexts of the lab's ports."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path

from lab.behaviour import TlsManner
from lab.certificates import KeyPair
from sip.net.tls_alert import AlertingContext

__all__ = ["server_context"]


def server_context(manner: TlsManner, pair: KeyPair, ca_file: Path) -> ssl.SSLContext:
    """Context of a listening port; TLS 1.2 is the least, but for ``old_only``.

    Raises ``OSError`` when a file cannot be read.
    """
    context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if manner.old_only:
        # OpenSSL allows the SHA-1 signatures of TLS 1.0 and 1.1 at security level 0 alone.
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    if manner.client_certificate:
        context.load_verify_locations(cafile=ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
