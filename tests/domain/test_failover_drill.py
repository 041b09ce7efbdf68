"""A failover that is rehearsed for one number."""

from __future__ import annotations

from datetime import timedelta

from domain.failover_commands import AbortDrill, Commands, DrillEnd, FailOver, StartDrill
from domain.failover_drill import report_of, switched
from domain.failover_picture import CallSign
from domain.trunk_config import FailoverTrigger
from tests.domain.failovers import DOWN, RULES, Desk

START = StartDrill(drill_id="drl_1", binding_id="cfg_1", seconds=60)


def drilling(endpoints: int = 2, *triggers: FailoverTrigger) -> Desk:
    """A trunk on which a drill began."""
    rules = RULES.model_copy(update={"triggers": triggers}) if triggers else RULES
    desk = Desk(endpoints=endpoints, rules=rules)
    desk.decide()
    desk.order(START)
    return desk


def test_calls_of_the_number_go_elsewhere_and_all_others_as_before() -> None:
    desk = drilling(3)
    drill = desk.route.drill
    assert drill is not None
    assert (drill.binding_id, drill.order) == ("cfg_1", (1, 2, 0))
    assert desk.position == 0
    assert "declared dead by a drill" in drill.why[0]
    assert "drill" not in " ".join(desk.route.why)


def test_it_ends_by_its_time() -> None:
    desk = drilling()
    begun = desk.now
    assert desk.last is not None
    assert desk.last.wake_at == begun + timedelta(seconds=60)
    desk.after(seconds=60)
    assert desk.route.drill is None
    drill = desk.commands.drill
    assert drill is not None
    assert (drill.end, drill.ended_at) == (DrillEnd.COMPLETED, begun + timedelta(seconds=60))


def test_it_ends_when_somebody_aborts_it() -> None:
    desk = drilling()
    desk.after(seconds=20)
    desk.order(AbortDrill())
    drill = desk.commands.drill
    assert drill is not None
    assert (drill.end, drill.ended_at) == (DrillEnd.ABORTED, desk.now)
    assert desk.route.drill is None


def test_it_ends_when_the_trunk_is_changed() -> None:
    desk = drilling()
    desk.revision = 2
    desk.decide()
    drill = desk.commands.drill
    assert drill is not None
    assert drill.end is DrillEnd.TRUNK_REVISED
    assert desk.route.drill is None


def test_it_ends_when_the_trunk_fails_over_in_earnest() -> None:
    for desk in (drilling(), drilling()):
        desk.becomes(0, DOWN)
        drill = desk.commands.drill
        assert drill is not None
        assert drill.end is DrillEnd.FAILED_OVER
    desk = drilling()
    desk.order(FailOver())
    assert desk.commands.drill is not None
    assert desk.commands.drill.end is DrillEnd.FAILED_OVER


def test_it_ends_with_the_last_endpoint() -> None:
    desk = drilling()
    desk.endpoints = 0
    desk.decide()
    assert desk.commands.drill is not None
    assert desk.commands.drill.end is DrillEnd.FAILED_OVER


def test_an_end_is_final() -> None:
    desk = drilling()
    desk.order(AbortDrill())
    ended = desk.commands.drill
    desk.after(hours=1)
    assert desk.commands.drill == ended


def test_it_follows_the_rules_of_the_trunk() -> None:
    desk = drilling(2, FailoverTrigger.AUTH_FAILURE)
    drill = desk.route.drill
    assert drill is not None
    assert drill.order[0] == 0
    assert any("not among the failover triggers" in said for said in drill.why)


def test_it_shows_that_nothing_would_take_over() -> None:
    desk = Desk()
    desk.decide()
    desk.becomes(1, DOWN)
    desk.order(START)
    drill = desk.route.drill
    assert drill is not None
    assert (drill.order[0], "No endpoint works" in drill.why[0]) == (0, True)


def test_an_endpoint_whose_calls_failed_takes_none_of_a_drill() -> None:
    desk = Desk(endpoints=3)
    desk.decide()
    desk.after(minutes=10)
    desk.order(FailOver(to=1))
    desk.after(seconds=10)
    for _ in range(3):
        desk.call(1, CallSign.TIMEOUT)
    assert desk.position == 0
    desk.order(START)
    drill = desk.route.drill
    assert drill is not None
    assert drill.order[0] == 2


def test_an_endpoint_whose_failed_calls_had_their_effect_takes_those_of_a_drill() -> None:
    desk = Desk(endpoints=3)
    desk.decide()
    desk.after(minutes=10)
    desk.order(FailOver(to=1))
    for _ in range(3):
        desk.after(seconds=10)
        desk.call(1, CallSign.TIMEOUT)
    desk.after(minutes=6)
    desk.order(START)
    drill = desk.route.drill
    assert drill is not None
    assert drill.order[0] == 1


def test_the_report_measures_from_the_declaration_to_the_route_and_back() -> None:
    desk = drilling()
    drill = desk.commands.drill
    assert drill is not None
    begun = drill.started_at
    drill = switched(drill, begun + timedelta(milliseconds=120))
    assert switched(drill, begun + timedelta(seconds=9)) == drill
    desk.commands = Commands(drill=drill)
    desk.after(seconds=60)
    drill = desk.commands.drill
    assert drill is not None
    report = report_of(
        drill,
        hold=timedelta(minutes=5),
        restored_at=begun + timedelta(seconds=60, milliseconds=80),
    )
    assert (report.detection_ms, report.recovery_ms, report.took_over) == (120, 80, 1)
    assert (report.silence_seconds, report.refusal_seconds) == (27.0, 1.5)
    assert report.hold_down_seconds == 300


def test_where_nothing_takes_over_nothing_is_detected() -> None:
    desk = drilling(2, FailoverTrigger.AUTH_FAILURE)
    drill = desk.commands.drill
    assert drill is not None
    drill = switched(drill, desk.now)
    report = report_of(drill, hold=timedelta(minutes=5), restored_at=None)
    assert (report.detection_ms, report.recovery_ms, report.took_over) == (None, None, None)
