"""Which sub-status may follow which, for orders and for numbers.

What a carrier says may skip steps: a notice gets lost, and the next look finds the order further on.
So from wherever a carrier has the order, what it says of a date, of the switch or of the end is legal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain.porting.words import NumberStatus, SubStatus

__all__ = ["LEGAL", "number_may_become"]

_S = SubStatus
_CLOSED: Final = frozenset({_S.CANCELED, _S.EXPIRED, _S.FAILED})
_SAID: Final = _CLOSED | {_S.ACTION_REQUIRED, _S.FOC_CONFIRMED, _S.ACTIVATING, _S.VERIFYING}

LEGAL: Final[Mapping[SubStatus, frozenset[SubStatus]]] = MappingProxyType(
    {
        _S.DRAFT: frozenset({_S.VALIDATING, _S.CANCELED}),
        _S.VALIDATING: frozenset(
            {_S.AWAITING_DOCUMENTS, _S.AWAITING_SIGNATURE, _S.FAILED, _S.CANCELED}
        ),
        _S.AWAITING_DOCUMENTS: frozenset({_S.VALIDATING, _S.EXPIRED, _S.CANCELED}),
        _S.AWAITING_SIGNATURE: _SAID | {_S.SUBMITTING},
        _S.IN_REVIEW: frozenset(
            {_S.SUBMITTING, _S.AWAITING_DOCUMENTS, _S.AWAITING_SIGNATURE, _S.CANCELED}
        ),
        _S.SUBMITTING: _SAID | {_S.LSR_SENT, _S.SUPP_SENT},
        _S.LSR_SENT: _SAID | {_S.SUPP_SENT},
        _S.ACTION_REQUIRED: _SAID - {_S.ACTION_REQUIRED}
        | {_S.AWAITING_SIGNATURE, _S.SUBMITTING, _S.SUPP_SENT},
        _S.SUPP_SENT: _SAID,
        _S.FOC_CONFIRMED: _SAID - {_S.FOC_CONFIRMED},
        _S.ACTIVATING: _SAID - {_S.ACTIVATING},
        _S.VERIFYING: frozenset({_S.COMPLETED, _S.PARTIALLY_COMPLETED}),
        _S.COMPLETED: frozenset(),
        _S.PARTIALLY_COMPLETED: frozenset(),
        _S.CANCELED: frozenset(),
        _S.EXPIRED: frozenset(),
        _S.FAILED: frozenset(),
    }
)
"""What may follow each sub-status of an order; nothing follows an end."""

_BY_CARRIER: Final = frozenset(
    {
        NumberStatus.SUBMITTED,
        NumberStatus.ACCEPTED,
        NumberStatus.ACTIVATING,
        NumberStatus.PORTED,
        NumberStatus.REJECTED,
        NumberStatus.CANCELED,
        NumberStatus.FAILED,
    }
)
"""What a carrier may say of a number: it neither verifies for us nor drops."""


def number_may_become(status: NumberStatus, said: NumberStatus) -> bool:
    """Whether a number with this status gets the one that the carrier said.

    A number that was ported stays so, whatever is said later, and one that was given up is ported
    when the carrier says so: a switch that took place is a fact.
    """
    if said not in _BY_CARRIER or status in (NumberStatus.PORTED, NumberStatus.VERIFIED):
        return False
    given_up = (NumberStatus.DROPPED, NumberStatus.CANCELED, NumberStatus.FAILED)
    return said is NumberStatus.PORTED or status not in given_up
