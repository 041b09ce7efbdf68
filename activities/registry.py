"""Which activities a worker registers on which task queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from activities.dependencies import Dependencies
from activities.discovery import DiscoveryActivities
from workflows.names import DISCOVERY_QUEUE, WORKFLOW_QUEUE

__all__ = ["activities_by_queue"]


def activities_by_queue(
    dependencies: Dependencies,
) -> Mapping[str, Sequence[Callable[..., Any]]]:
    """Every activity, by the queue that its workflow names."""
    discovery = DiscoveryActivities(dependencies)
    return {
        WORKFLOW_QUEUE: (discovery.conclude, discovery.fail),
        DISCOVERY_QUEUE: (discovery.sweep,),
    }
