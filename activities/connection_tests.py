"""A connection test's side effect: the OPTIONS."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from temporalio import activity

from activities.contracts import (
    ConnectionTestContract,
    ConnectionTestOrder,
    ConnectionTestOutcome,
)
from activities.dependencies import Dependencies
from domain.connection_test import ConnectionProblem, problem_of
from domain.trunk import Endpoint
from sip.call_plan import CallPlan
from sip.net.connection_check import check_connection
from sip.transports import Transport
from storage import trunks
from storage.trunk_vault import client_certificate_of

__all__ = ["ConnectionTestActivities", "where_to"]

USUAL_PORT: Final = 5061


@dataclass(frozen=True, slots=True)
class ConnectionTestActivities(ConnectionTestContract):
    """See the contract for what it promises."""

    dependencies: Dependencies

    @activity.defn(name="connection_test.check")
    async def check(self, order: ConnectionTestOrder) -> ConnectionTestOutcome:
        plan = await self._plan(order)
        if plan is None:
            return ConnectionTestOutcome(problem=ConnectionProblem.NO_ENDPOINT)
        dependencies = self.dependencies
        facts = await check_connection(
            plan,
            guard=dependencies.guard,
            resolver=dependencies.resolver,
            identity=dependencies.identity,
            new_token=lambda: secrets.token_hex(16),
        )
        if facts.status is None:
            return ConnectionTestOutcome(
                problem=problem_of(facts.outcome, resolved=facts.resolved, not_sip=facts.not_sip)
            )
        return ConnectionTestOutcome(sip_code=facts.status, response_time_ms=facts.response_ms)

    async def _plan(self, order: ConnectionTestOrder) -> CallPlan | None:
        dependencies = self.dependencies
        async with dependencies.database.tenant(order.org_id) as session:
            trunk = await trunks.get(session, order.org_id, order.trunk_id)
        profile = None if trunk is None else trunks.profile_of(trunk)
        if trunk is None or profile is None or profile.endpoint is None:
            return None
        port, transport = where_to(profile.endpoint)
        options = profile.options
        return CallPlan(
            host=profile.endpoint.host,
            port=port,
            transport=None if transport is None else transport.value,
            from_uri_user="trunkline",
            ca_pem=options.ca_pem,
            ca_file=dependencies.settings.tls_ca_file,
            exact_tls_names=bool(options.exact_tls_names),
            certificate_pin=options.certificate_pin,
            client_certificate=client_certificate_of(dependencies.secret_box, trunk),
            user_agent=dependencies.identity.user_agent,
        )


def where_to(endpoint: Endpoint) -> tuple[int | None, Transport | None]:
    """Port and transport of the test: the trunk's own, as calls use them; TLS on 5061 when it names
    neither (contract 7.6)."""
    if endpoint.port is None and endpoint.transport is None:
        return USUAL_PORT, Transport.TLS
    return endpoint.port, endpoint.transport
