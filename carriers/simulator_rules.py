"""What the simulated carrier refuses at once, and what the losing carrier will find wrong later.

Found wrong by what is sent, in every scenario: a mobile number without PIN, the PIN ``0000``, the account
number ``0000``, the ZIP ``00000``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from carriers.base import PortSubmission
from carriers.simulator_numbers import check_number
from carriers.simulator_script import CLOSED, MAX_DATE_CHANGES, date_changes, snapshot
from carriers.simulator_state import Flaw, Heard, Scenario, SimulatedOrder, scenario_of
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierRejection, CarrierSnapshot, CarrierStatus
from domain.porting.state import CommandKind
from domain.porting.words import NumberStatus, NumberType, PortKind

__all__ = ["FREEZE", "flaws_of", "refusal_of", "refusals_of"]

FREEZE: Final = timedelta(hours=24)
"""Before the committed date nothing is changed or canceled any more."""

WRONG: Final = "0000"
WRONG_ZIP: Final = "00000"

_C = CarrierStatus
_CODE = RejectionCode


def flaws_of(submission: PortSubmission) -> tuple[Flaw, ...]:
    """What the losing carrier will find wrong with what is sent."""
    return tuple(_flaws(submission))


def _flaws(submission: PortSubmission) -> Iterator[Flaw]:
    secrets, numbers = submission.secrets, tuple(submission.numbers)
    missing = tuple(
        each for each in numbers if check_number(each).pin_required and not secrets.pin_of(each)
    )
    if missing:
        yield Flaw(code=_CODE.PIN_REQUIRED, numbers=missing)
    wrong = tuple(each for each in numbers if secrets.pin_of(each) == WRONG)
    if wrong:
        yield Flaw(code=_CODE.PIN_INVALID, numbers=wrong)
    if WRONG in {secrets.account_number_of(each) for each in numbers}:
        yield Flaw(code=_CODE.ACCOUNT_NUMBER_MISMATCH)
    if submission.details.service_address.zip == WRONG_ZIP:
        yield Flaw(code=_CODE.POSTAL_CODE_MISMATCH)


def refusals_of(submission: PortSubmission) -> list[CarrierRejection]:
    """Why the winning carrier does not take this request, whatever it has of the order."""
    checks = [check_number(each) for each in submission.numbers]
    found = [
        _refusal(each.code, each.reason, each.number) for each in checks if each.code is not None
    ]
    if not checks:
        found.append(_refusal(_CODE.OTHER, "The order has no numbers."))
    toll_free = {each.number_type is NumberType.TOLL_FREE for each in checks}
    if len({each.spid for each in checks}) > 1 or len(toll_free) > 1:
        found.append(
            _refusal(
                _CODE.SPLIT_REQUIRED, "The numbers are with several carriers: split the order."
            )
        )
    elif toll_free and toll_free != {submission.kind is PortKind.TOLL_FREE}:
        found.append(_refusal(_CODE.OTHER, "Toll-free and local numbers are ordered apart."))
    if submission.letter is None:
        found.append(_refusal(_CODE.LOA_INVALID, "A signed letter of authorization is missing."))
    return found


def refusal_of(order: SimulatedOrder, command: Heard) -> CarrierRejection | None:
    """Why the order does not take this command as it stands then; ``None`` when it does."""
    standing = snapshot(order, command.at) if order.heard else None
    if command.kind is CommandKind.SUBMIT:
        if standing is not None and standing.status not in CLOSED:
            return _refusal(_CODE.PENDING_ORDER, "The order is here and open: supplement it.")
        if standing is not None and standing.status is _C.COMPLETED:
            return _refusal(_CODE.ALREADY_HERE, "The order is completed.")
        return None
    if standing is None:
        return _refusal(_CODE.OTHER, "The order was never submitted.")
    match command.kind:
        case CommandKind.CANCEL:
            return _cancel(order, standing, command.at)
        case CommandKind.ACTIVATE:
            return _activate(standing, command.at)
        case _:
            return _change(order, standing, command)


def _cancel(
    order: SimulatedOrder, standing: CarrierSnapshot, at: datetime
) -> CarrierRejection | None:
    if standing.status in (_C.CANCELED, _C.EXPIRED, _C.CANCEL_PENDING):
        return None
    if standing.status in (_C.COMPLETED, _C.ACTIVATING):
        return _foc("The numbers are being switched, or are switched: order them back instead.")
    if scenario_of(order) is not Scenario.LATE_CANCEL and _is_frozen(order, standing, at):
        return _foc("A cancellation less than 24 hours before the committed date is not taken.")
    return None


def _activate(standing: CarrierSnapshot, at: datetime) -> CarrierRejection | None:
    if standing.status in (_C.ACTIVATING, _C.COMPLETED):
        return None
    if standing.status is not _C.FOC_CONFIRMED or standing.foc_at is None:
        return _foc("There is no committed date yet.")
    if at < standing.foc_at:
        return _foc("Numbers can be activated from the committed date on.")
    return None


def _change(
    order: SimulatedOrder, standing: CarrierSnapshot, command: Heard
) -> CarrierRejection | None:
    if standing.status in CLOSED or standing.status in (_C.ACTIVATING, _C.CANCEL_PENDING):
        return _foc("The order is canceled, being switched, or has ended: it cannot be changed.")
    if standing.foc_at is None or standing.status is _C.ACTION_REQUIRED:
        return None
    if _is_frozen(order, standing, command.at):
        return _foc("A change less than 24 hours before the committed date is not taken.")
    if command.kind is CommandKind.SUPPLEMENT:
        here = {
            each.number for each in standing.numbers if each.status is not NumberStatus.CANCELED
        }
        if standing.status is _C.FOC_CONFIRMED and set(command.numbers) < here:
            return None
        return _foc("After the commitment only the date can change, or numbers be left out.")
    is_harsh = scenario_of(order) is Scenario.SUP_LIMIT
    if date_changes(order) >= MAX_DATE_CHANGES and not is_harsh:
        return _foc(f"The committed date was changed {MAX_DATE_CHANGES} times already.")
    return None


def _is_frozen(order: SimulatedOrder, standing: CarrierSnapshot, at: datetime) -> bool:
    if standing.foc_at is None or standing.status is not _C.FOC_CONFIRMED:
        return False
    return at > standing.foc_at - FREEZE / order.scale


def _foc(text: str) -> CarrierRejection:
    return _refusal(_CODE.FOC_PROBLEM, text)


def _refusal(code: RejectionCode, text: str, *numbers: str) -> CarrierRejection:
    return CarrierRejection(code=code, raw_code=code.value.upper(), text=text, numbers=numbers)
