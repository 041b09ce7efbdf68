"""Every name that crosses the wire to Temporal, once.

Task queues, workflow ids, search attributes and error types are spelled here and nowhere else, so
that a rename is one line and a reader of the Temporal Web UI finds where a name comes from.
"""

from __future__ import annotations

from enum import StrEnum

from temporalio.common import SearchAttributeKey

__all__ = [
    "ALERTS_QUEUE",
    "CALLS_QUEUE",
    "DISCOVERY_QUEUE",
    "HEALTH_QUEUE",
    "ORG_ID",
    "SEARCH_ATTRIBUTES",
    "TRUNK_DECIDES",
    "TRUNK_LEAVES",
    "WORKFLOW_QUEUE",
    "ErrorType",
    "alert_workflow_id",
    "connection_test_workflow_id",
    "discovery_workflow_id",
    "health_monitor_workflow_id",
    "port_workflow_id",
    "test_call_workflow_id",
    "trunk_workflow_id",
]

WORKFLOW_QUEUE = "trunkline"
"""Workflows and the short activities that write rows."""

ALERTS_QUEUE = "trunkline-alerts"
"""Messages about alerts: receivers may hang, and must keep nobody else waiting."""

DISCOVERY_QUEUE = "trunkline-discovery"
"""Probing of endpoints: bound by sockets, so it scales apart from the workflows."""

CALLS_QUEUE = "trunkline-calls"
"""Calls: media is paced by the clock, so it scales apart from what comes in bursts."""

HEALTH_QUEUE = "trunkline-health"
"""Watching of shards: runs of minutes that share one engine per process."""

TRUNK_DECIDES = "trunk-decides-where-calls-go"
"""Patch: runs of Trunk that began before it only adopt revisions, and hand over to one that decides."""

TRUNK_LEAVES = "trunk-leaves"
"""Patch: a run from before ``TRUNK_DECIDES`` that ends has its trunk watched no more, either. Asked
for at the end only, since the answer that a run got once is its answer for good."""

ORG_ID = SearchAttributeKey.for_keyword("TrunklineOrgId")
"""Lets an operator list one organization's processes; an id, never a name or a number."""

SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[str], ...] = (ORG_ID,)
"""All custom search attributes; API and worker register exactly these when they connect."""


class ErrorType(StrEnum):
    """``ApplicationError.type`` of the failures that activities raise on purpose."""

    DISCOVERY_GONE = "DiscoveryGone"
    """The discovery's row is no longer ``running``: nobody wants the result any more."""

    TEST_CALL_GONE = "TestCallGone"
    """The call was placed before, or its row has ended: placing it would ring once more."""

    TEST_CALL_LEFT_UP = "TestCallLeftUp"
    """A clean-up got no answer that ends the call; another try may."""

    TEST_CALL_OVER = "TestCallOver"
    """Nothing is left to hang up."""

    PORT_ORDER_REFUSED = "PortOrderRefused"
    """What was asked does not fit the port order; the one detail is a
    ``domain.porting.order_refusals.OrderRefusal``."""

    TRUNK_ORDER_REFUSED = "TrunkOrderRefused"
    """The order does not fit the trunk; the one detail is a ``domain.failover_commands.Refusal``."""

    TRUNK_GONE = "TrunkGone"
    """The trunk was removed."""

    TRUNK_HANDS_OVER = "TrunkHandsOver"
    """The run began before trunks took orders; the next one, in a moment, does."""


def alert_workflow_id(alert_id: str) -> str:
    """Workflow id of the deliveries of the alert, or of the trial, with this id."""
    return f"alert:{alert_id}"


def connection_test_workflow_id(trunk_id: str, revision: int) -> str:
    """Workflow id of the test of a trunk as it is at this revision: one runs at a time."""
    return f"connection-test:{trunk_id}:{revision}"


def discovery_workflow_id(discovery_id: str) -> str:
    """Workflow id of the discovery with this id."""
    return f"discovery:{discovery_id}"


def health_monitor_workflow_id(shard: int) -> str:
    """Workflow id of the monitor of this shard."""
    return f"health-monitor:{shard}"


def port_workflow_id(order_id: str) -> str:
    """Workflow id of the port order with this id."""
    return f"port:{order_id}"


def test_call_workflow_id(call_id: str) -> str:
    """Workflow id of the test call with this id."""
    return f"test-call:{call_id}"


def trunk_workflow_id(trunk_id: str) -> str:
    """Workflow id of the trunk with this id."""
    return f"trunk:{trunk_id}"
