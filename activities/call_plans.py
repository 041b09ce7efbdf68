"""From the settings of a call, as customers know them, to what the calling user agent is told.

Used by the activity and by ``trunkline call``.
"""

from __future__ import annotations

from domain.call_settings import CallerId, CallSettings, IdentityHeader, MediaSecurity, NumberFormat
from domain.header_variables import headers_from, mappings_of
from domain.phone_numbers import is_e164
from domain.trunk import Direction
from sip.call_plan import CallPlan
from sip.digest import Algorithm
from sip.tls_identity import ClientCertificate

__all__ = ["plan_of"]

_IDENTITY_HEADERS = {
    IdentityHeader.ASSERTED: "P-Asserted-Identity",
    IdentityHeader.PREFERRED: "P-Preferred-Identity",
}


def plan_of(
    settings: CallSettings,
    password: str | None,
    *,
    user_agent: str,
    public_address: str | None,
    ca_file: str | None,
    client_certificate: ClientCertificate | None = None,
    call_id: str | None = None,
    ring_seconds: float = 60.0,
    limit_seconds: float = 110.0,
) -> CallPlan:
    """What to call and how.

    ``public_address`` stands in Via, Contact and SDP instead of the source address, ``ca_file`` is
    trusted beside the trunk's own authorities, ``client_certificate`` is shown to a peer that asks
    for one, ``call_id`` is the value of the variable of that name in header mappings. Raises
    ``ValueError`` for a ``minimum_digest`` that no algorithm has.
    """
    caller = _written(settings.caller_number, settings.number_format)
    by_auth_user = settings.caller_id is CallerId.AUTH_USER and settings.username is not None
    header = _IDENTITY_HEADERS.get(settings.identity_header)
    return CallPlan(
        host=settings.host,
        port=settings.port,
        transport=None if settings.transport is None else settings.transport.value,
        request_user=_written(settings.callee, settings.number_format),
        from_uri_user=settings.username if by_auth_user and settings.username else caller,
        from_domain=settings.from_domain,
        asserted=None if header is None else (header, caller),
        headers=headers_from(
            _variables(settings, call_id), mappings_of(settings.headers, Direction.OUTBOUND)
        ),
        username=settings.username,
        password=password,
        realm=settings.realm,
        minimum=_algorithm(settings.minimum_digest),
        codecs=tuple(
            (each.encoding, each.clock_rate, each.payload_type) for each in settings.codecs
        ),
        secure_media=settings.media is MediaSecurity.SRTP,
        ca_pem=settings.ca_pem,
        ca_file=ca_file,
        exact_tls_names=settings.exact_tls_names,
        certificate_pin=settings.certificate_pin,
        client_certificate=client_certificate,
        user_agent=user_agent,
        public_address=public_address,
        ring_seconds=ring_seconds,
        limit_seconds=limit_seconds,
    )


def _variables(settings: CallSettings, call_id: str | None) -> dict[str, str]:
    """What is known of a call before it is placed, under the names of contract 3.7 and 8.1; a test
    call has no ``request_data``, so a mapping of any other variable sends nothing."""
    known = {
        "phone_number": settings.callee,
        "destination_number": settings.callee,
        "from_number": settings.caller_number,
        "caller_id": settings.caller_number,
    }
    return known if call_id is None else {**known, "call_id": call_id}


def _written(number: str, number_format: NumberFormat) -> str:
    """A number as it goes over the wire; what is not E.164 goes verbatim."""
    if number_format is NumberFormat.E164 and is_e164(number):
        return number.removeprefix("+")
    return number


def _algorithm(name: str | None) -> Algorithm | None:
    if name is None:
        return None
    found = Algorithm.named(name)
    if found is None:
        raise ValueError(f"{name!r} is not a digest algorithm")
    return found
