"""What workflows may ask of activities: names, models and limits, without any I/O import.

Workflows import this package and never an implementation, so that no socket and no database driver
comes near the sandbox. Payloads carry ids, counts and closed words only: what was found is in
PostgreSQL, and neither secrets nor personal data enter a history. Models ignore unknown fields,
because a worker of the previous release may read what the next one wrote.
"""

from __future__ import annotations

from activities.contracts.base import CONCLUDE_LIMITS, ActivityLimits
from activities.contracts.connection_test import (
    CHECK_LIMITS,
    ConnectionTestContract,
    ConnectionTestOrder,
    ConnectionTestOutcome,
)
from activities.contracts.discovery import (
    SWEEP_LIMITS,
    DiscoveryContract,
    DiscoveryOrder,
    DiscoveryOutcome,
    FailureReport,
    SweepOutcome,
)
from activities.contracts.test_call import (
    CALL_LIMIT,
    CLEAN_UP_LIMITS,
    CLEAN_UP_PATIENCE,
    PLACE_LIMITS,
    CleanUpOutcome,
    TestCallContract,
    TestCallFailure,
    TestCallOrder,
    TestCallOutcome,
)
from activities.contracts.trunk import (
    ADOPT_RETRY,
    ADOPT_TIMEOUT,
    AdoptedRevision,
    TrunkContract,
    TrunkRevision,
    TrunkStanding,
    TrunkState,
)

__all__ = [
    "ADOPT_RETRY",
    "ADOPT_TIMEOUT",
    "CALL_LIMIT",
    "CHECK_LIMITS",
    "CLEAN_UP_LIMITS",
    "CLEAN_UP_PATIENCE",
    "CONCLUDE_LIMITS",
    "PLACE_LIMITS",
    "SWEEP_LIMITS",
    "ActivityLimits",
    "AdoptedRevision",
    "CleanUpOutcome",
    "ConnectionTestContract",
    "ConnectionTestOrder",
    "ConnectionTestOutcome",
    "DiscoveryContract",
    "DiscoveryOrder",
    "DiscoveryOutcome",
    "FailureReport",
    "SweepOutcome",
    "TestCallContract",
    "TestCallFailure",
    "TestCallOrder",
    "TestCallOutcome",
    "TrunkContract",
    "TrunkRevision",
    "TrunkStanding",
    "TrunkState",
]
