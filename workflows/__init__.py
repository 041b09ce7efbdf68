"""Durable processes, one file per business word. ``WORKFLOWS`` is what a worker registers."""

from __future__ import annotations

from workflows.connection_test import ConnectionTestWorkflow
from workflows.discovery import DiscoveryWorkflow
from workflows.test_call import TestCallWorkflow
from workflows.trunk import TrunkWorkflow

__all__ = ["WORKFLOWS"]

WORKFLOWS: tuple[type, ...] = (
    ConnectionTestWorkflow,
    DiscoveryWorkflow,
    TestCallWorkflow,
    TrunkWorkflow,
)
