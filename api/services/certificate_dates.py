"""Whether certificates are valid today, which counts when they are entered and not for ever after.

One that has expired since keeps its trunk from nothing but TLS: other settings can be changed and an
exported document applied, with the expiry shown, until its owner renews it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from cryptography.x509 import Certificate

from api.errors import InvalidRequest
from domain.certificates import certificates_in, check_authorities, check_client
from domain.trunk import TrunkProfile

__all__ = ["check_dates", "stored_certificates"]


def check_dates(profile: TrunkProfile, place: str, known: Collection[Certificate] = ()) -> None:
    """Refuse certificates that are out of their time, unless they are ``known``.

    ``place`` is before ``options`` in the names of fields. Raises ``InvalidRequest``.
    """
    options, now = profile.options, datetime.now(UTC)
    checks = {
        "ca_pem": (options.ca_pem, check_authorities),
        "client_certificate": (options.client_certificate, check_client),
    }
    for name, (pem, check) in checks.items():
        if pem is None:
            continue
        try:
            check(pem, now=now, known=known)
        except ValueError as error:
            field = f"{place}options.{name}"
            raise InvalidRequest(f"{field}: {error}", field=field) from error


def stored_certificates(profiles: Iterable[TrunkProfile]) -> frozenset[Certificate]:
    """Every certificate in the settings of these trunks."""
    texts = {
        pem
        for each in profiles
        for pem in (each.options.ca_pem, each.options.client_certificate)
        if pem is not None
    }
    return frozenset(each for pem in texts for each in certificates_in(pem))
