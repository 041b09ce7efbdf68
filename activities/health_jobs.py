"""From what is stored of a target to what the prober is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.probe_target import tls_difference
from observability.logs import get_logger
from sip.net.health_prober import ProbeJob
from sip.net.tls import TlsProfile
from storage.engine import Database
from storage.health_config import LoadedTarget
from storage.probe_credentials import trunks_of_targets
from storage.secret_box import SecretBox, SecretBoxError
from storage.tables import Trunk
from storage.trunk_vault import client_certificate_of
from storage.trunks import profile_of

__all__ = ["jobs_of"]

_log = get_logger("trunkline.health")

EXACT_NAMES: Final = tls_difference(exact_names=True)


async def jobs_of(
    targets: Sequence[LoadedTarget], database: Database, box: SecretBox, *, ca_file: str | None
) -> dict[str, ProbeJob]:
    """The job of each target by its id.

    A target whose own TLS settings are gone, or cannot be opened, has none and is not probed: the
    answer to another request would be about something else. Raises ``DatabaseUnavailable``.
    """
    own = [each.target_id for each in targets if each.identity.profile.org_id is not None]
    trunks: dict[str, Trunk] = {}
    if own:
        async with database.system() as session:
            trunks = await trunks_of_targets(session, own)
    jobs = {}
    for target in targets:
        if target.identity.profile.org_id is None:
            exact = target.identity.profile.tls == EXACT_NAMES
            jobs[target.target_id] = _job(target, exact=exact)
            continue
        trunk = trunks.get(target.target_id)
        if trunk is None:
            continue
        try:
            jobs[target.target_id] = _own_job(target, trunk, box, ca_file)
        except SecretBoxError as error:
            _log.error("a target is not probed", target_id=target.target_id, reason=str(error))
    return jobs


def _own_job(target: LoadedTarget, trunk: Trunk, box: SecretBox, ca_file: str | None) -> ProbeJob:
    """Raises ``SecretBoxError``."""
    options = profile_of(trunk).options
    tls = TlsProfile(
        server_name=target.identity.profile.domain,
        ca_file=ca_file,
        ca_pem=options.ca_pem,
        pin=options.certificate_pin,
        client=client_certificate_of(box, trunk),
    )
    return _job(target, tls=tls, exact=bool(options.exact_tls_names))


def _job(target: LoadedTarget, *, tls: TlsProfile | None = None, exact: bool = False) -> ProbeJob:
    identity = target.identity
    return ProbeJob(
        key=target.target_id,
        address=identity.address,
        port=identity.port,
        transport=identity.transport,
        domain=identity.profile.domain,
        from_uri=identity.profile.from_uri,
        tls=tls,
        exact_tls_names=exact,
    )
