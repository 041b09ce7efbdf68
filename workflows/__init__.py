"""Durable processes, one file per business word. ``WORKFLOWS`` is what a worker registers."""

from __future__ import annotations

from workflows.discovery import DiscoveryWorkflow

__all__ = ["WORKFLOWS"]

WORKFLOWS: tuple[type, ...] = (DiscoveryWorkflow,)
