"""Implementations keep the names that workflows call."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from temporalio import activity

from activities import contracts, test_calls
from activities.alerts import AlertActivities
from activities.connection_tests import ConnectionTestActivities
from activities.discovery import DiscoveryActivities
from activities.health import HealthActivities
from activities.ports import PortActivities
from activities.trunks import TrunkActivities

IMPLEMENTATIONS: dict[type, type] = {
    contracts.AlertContract: AlertActivities,
    contracts.ConnectionTestContract: ConnectionTestActivities,
    contracts.DiscoveryContract: DiscoveryActivities,
    contracts.HealthContract: HealthActivities,
    contracts.PortContract: PortActivities,
    contracts.TestCallContract: test_calls.TestCallActivities,
    contracts.TrunkContract: TrunkActivities,
}


def definition(method: Any) -> str | None:
    """Name under which an activity is registered."""
    found = activity._Definition.from_callable(method)
    return None if found is None else found.name


def declared(contract: type) -> dict[str, str | None]:
    """Activity names by method."""
    return {
        name: definition(method)
        for name, method in inspect.getmembers(contract, inspect.isfunction)
        if definition(method) is not None
    }


def test_every_contract_has_an_implementation() -> None:
    abstract = {
        each
        for _, each in inspect.getmembers(contracts, inspect.isclass)
        if inspect.isabstract(each)
    }
    assert abstract == set(IMPLEMENTATIONS)


@pytest.mark.parametrize("contract", IMPLEMENTATIONS, ids=lambda each: each.__name__)
def test_an_implementation_keeps_every_name(contract: type) -> None:
    implementation = IMPLEMENTATIONS[contract]
    assert declared(implementation) == declared(contract) != {}
    assert not inspect.isabstract(implementation)
