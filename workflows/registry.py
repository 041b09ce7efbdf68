"""What a worker registers.

Apart from the package itself, so that the sandbox of one workflow does not import all of them.
"""

from __future__ import annotations

from workflows.alert_delivery import AlertDeliveryWorkflow
from workflows.connection_test import ConnectionTestWorkflow
from workflows.discovery import DiscoveryWorkflow
from workflows.health_monitor import HealthMonitorWorkflow
from workflows.port_order import PortOrderWorkflow
from workflows.test_call import TestCallWorkflow
from workflows.trunk import TrunkWorkflow

__all__ = ["WORKFLOWS"]

WORKFLOWS: tuple[type, ...] = (
    AlertDeliveryWorkflow,
    ConnectionTestWorkflow,
    DiscoveryWorkflow,
    HealthMonitorWorkflow,
    PortOrderWorkflow,
    TestCallWorkflow,
    TrunkWorkflow,
)
