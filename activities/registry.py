"""Which activities a worker registers on which task queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from activities.alerts import AlertActivities
from activities.connection_tests import ConnectionTestActivities
from activities.dependencies import Dependencies
from activities.discovery import DiscoveryActivities
from activities.health import HealthActivities
from activities.port_channels import PortChannels
from activities.ports import PortActivities
from activities.test_calls import TestCallActivities
from activities.trunks import TrunkActivities
from workflows.names import ALERTS_QUEUE, CALLS_QUEUE, DISCOVERY_QUEUE, HEALTH_QUEUE, WORKFLOW_QUEUE

__all__ = ["activities_by_queue"]


def activities_by_queue(
    dependencies: Dependencies,
) -> Mapping[str, Sequence[Callable[..., Any]]]:
    """Every activity, by the queue that its workflow names."""
    alert = AlertActivities(dependencies.database, dependencies.alert_channels)
    discovery = DiscoveryActivities(dependencies)
    test_call = TestCallActivities(dependencies)
    trunk = TrunkActivities(dependencies.database)
    connection_test = ConnectionTestActivities(dependencies)
    health = HealthActivities(dependencies.health)
    messenger = PortChannels(dependencies.alert_channels, dependencies.secret_box)
    port = PortActivities(dependencies.port_desk, messenger)
    return {
        WORKFLOW_QUEUE: (
            discovery.conclude,
            discovery.fail,
            test_call.fail,
            trunk.adopt,
            trunk.look,
            trunk.publish_route,
            trunk.note_drill,
            trunk.leave,
            alert.prepare,
            port.open,
            port.advance,
            port.record,
            port.validate,
            port.tell_carrier,
            port.look,
            port.attach,
            port.due_notices,
        ),
        ALERTS_QUEUE: (alert.deliver, port.deliver),
        DISCOVERY_QUEUE: (discovery.sweep, connection_test.check),
        CALLS_QUEUE: (test_call.place, test_call.clean_up),
        HEALTH_QUEUE: (health.watch,),
    }
