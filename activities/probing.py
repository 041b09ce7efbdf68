"""Probe all candidates of a discovery at once; used by the activity and by ``trunkline probe``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable

from activities.attempts import attempt_of, target_of
from domain.attempts import AttemptOutcome
from domain.discovery_plan import MAX_CANDIDATES, Candidate
from settings import Settings
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.prober import Prober
from sip.net.tls import TlsProfile, client_context
from sip.net.wire import WireTap

__all__ = ["guard_of", "identity_of", "open_prober", "probe_all", "read_authorities"]


def guard_of(settings: Settings) -> AddressGuard:
    """The address guard with what the operator allows."""
    return AddressGuard(allowed=settings.allowed_networks)


def identity_of(settings: Settings) -> ProbeIdentity:
    """Who we say we are on the wire."""
    return ProbeIdentity(
        user_agent=settings.user_agent,
        from_domain=settings.from_domain,
        public_address=settings.public_address,
        ca_file=settings.tls_ca_file,
    )


def read_authorities(identity: ProbeIdentity) -> None:
    """Read the trusted authorities now, so that no probe waits for it.

    Raises ``OSError`` naming the setting when ``TRUNKLINE_TLS_CA_FILE`` cannot be used.
    """
    try:
        client_context(TlsProfile(server_name="", ca_file=identity.ca_file))
    except OSError as error:
        raise OSError(
            error.errno, f"TRUNKLINE_TLS_CA_FILE cannot be used: {error.strerror}", identity.ca_file
        ) from error


def open_prober(
    guard: AddressGuard, identity: ProbeIdentity, *, tap: WireTap | None = None
) -> Prober:
    """A prober with sockets of its own; use as an async context manager."""
    return Prober(guard=guard, identity=identity, token=lambda: secrets.token_hex(16), tap=tap)


async def probe_all(
    prober: Prober,
    candidates: Iterable[Candidate],
    on_attempt: Callable[[AttemptOutcome], None],
    *,
    parallel: int = MAX_CANDIDATES,
) -> None:
    """Probe every candidate, ``parallel`` at a time, and report each attempt as it ends.

    All start at once by default, so that a port that answers never waits for one that is silent.
    """
    places = asyncio.Semaphore(parallel)

    async def probe(candidate: Candidate) -> None:
        async with places:
            report = await prober.probe(target_of(candidate))
        on_attempt(attempt_of(candidate, report))

    async with asyncio.TaskGroup() as tasks:
        for candidate in candidates:
            tasks.create_task(probe(candidate))
