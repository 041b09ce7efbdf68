"""Every name that crosses the wire to Temporal, once.

Task queues, workflow ids, search attributes and error types are spelled here and nowhere else, so
that a rename is one line and a reader of the Temporal Web UI finds where a name comes from.
"""

from __future__ import annotations

from enum import StrEnum

from temporalio.common import SearchAttributeKey

__all__ = [
    "DISCOVERY_QUEUE",
    "ORG_ID",
    "SEARCH_ATTRIBUTES",
    "WORKFLOW_QUEUE",
    "ErrorType",
    "discovery_workflow_id",
]

WORKFLOW_QUEUE = "trunkline"
"""Workflows and the short activities that write rows."""

DISCOVERY_QUEUE = "trunkline-discovery"
"""Probing of endpoints: bound by sockets, so it scales apart from the workflows."""

ORG_ID = SearchAttributeKey.for_keyword("TrunklineOrgId")
"""Lets an operator list one organization's processes; an id, never a name or a number."""

SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[str], ...] = (ORG_ID,)
"""All custom search attributes; the worker registers exactly these before it polls."""


class ErrorType(StrEnum):
    """``ApplicationError.type`` of the failures that activities raise on purpose."""

    DISCOVERY_GONE = "DiscoveryGone"
    """The discovery's row is no longer ``running``: nobody wants the result any more."""


def discovery_workflow_id(discovery_id: str) -> str:
    """Workflow id of the discovery with this id."""
    return f"discovery:{discovery_id}"
