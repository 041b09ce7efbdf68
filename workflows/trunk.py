"""Trunk: the entity behind one trunk, for as long as the trunk lives.

Promises: it goes by each revision of the configuration in order and once, however often the relay
repeats itself, and the trunk's row says which; it has it decided where the trunk's calls go whenever
something is seen, ordered, or due, and calls go by what it published last; it ends when the trunk
was removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from workflows import trunk_steps
from workflows.names import TRUNK_DECIDES, TRUNK_LEAVES
from workflows.trunk_orders import TrunkOrders

with workflow.unsafe.imports_passed_through():
    from activities.contracts import TrunkFacts, TrunkRevision, TrunkStanding, TrunkState
    from domain.failover_commands import Drill
    from domain.failover_drill import report_of, switched

__all__ = ["TrunkWorkflow"]

LOOK_SPACING = timedelta(seconds=1)
"""Targets that go down together are told of one by one: what comes within a second of a look is
looked at together. The first of them, and every order, is acted on at once."""


@workflow.defn(name="Trunk")
class TrunkWorkflow(TrunkOrders):
    """Signals: ``revised``, ``facts_changed``. Updates: those of ``TrunkOrders``. Queries:
    ``standing``."""

    @workflow.init
    def __init__(self, state: TrunkState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: TrunkState) -> TrunkStanding:
        """Adopt revisions and decide as they come, until the trunk is removed."""
        self._decides = workflow.patched(TRUNK_DECIDES)
        while not self._state.removed:
            await self._rest()
            if self._decides and self._is_over():
                self._continue()
            elif self._is_behind():
                await self._adopt()
            elif self._is_due():
                await self._decide()
            elif self._is_over():
                self._continue()
        if self._decides or workflow.patched(TRUNK_LEAVES):
            await trunk_steps.leave(self._state)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.standing()

    @workflow.signal
    def revised(self, revision: TrunkRevision) -> None:
        """A revision was committed. One that is known already, or older, changes nothing."""
        if revision.revision > self._state.known:
            self._keep(known=revision.revision, removed=revision.removed)

    @workflow.signal
    def facts_changed(self, facts: TrunkFacts) -> None:
        """Something was seen, and is in the rows. What is told again changes nothing."""
        if facts.seq != self._state.facts:
            self._keep(facts=facts.seq, undecided=True)

    @workflow.query
    def standing(self) -> TrunkStanding:
        """The revisions it knows of and goes by, and what it decided last."""
        state = self._state
        return TrunkStanding(
            known=state.known,
            adopted=state.adopted,
            removed=state.removed,
            generation=state.failover.generation,
            position=state.failover.position,
            wake_at=state.wake_at,
        )

    def _keep(self, **changes: Any) -> None:
        self._state = self._state.model_copy(update=changes)

    async def _rest(self) -> None:
        """Until there is something to do."""
        wake_at = self._wake_at()
        timeout = None if wake_at is None else max(wake_at - workflow.now(), timedelta())
        with suppress(TimeoutError):
            await workflow.wait_condition(
                # What comes meanwhile may have to be looked at sooner.
                lambda: self._has_work() or self._wake_at() != wake_at,
                timeout=timeout,
            )

    def _wake_at(self) -> datetime | None:
        """When there will be something to do though nothing comes."""
        state = self._state
        times = [state.wake_at] if self._decides else []
        if self._decides and state.undecided and state.looked_at is not None:
            times.append(state.looked_at + LOOK_SPACING)
        return min((each for each in times if each is not None), default=None)

    def _has_work(self) -> bool:
        return self._state.removed or self._is_behind() or self._is_due() or self._is_over()

    def _is_behind(self) -> bool:
        return not self._state.removed and self._state.adopted < self._state.known

    def _is_due(self) -> bool:
        """Whether there is something to decide."""
        state, now = self._state, workflow.now()
        if state.removed or not self._decides:
            return False
        if self._obeyed < self._ordered or (state.wake_at is not None and state.wake_at <= now):
            return True
        rested = state.looked_at is None or state.looked_at + LOOK_SPACING <= now
        return state.undecided and rested

    def _is_over(self) -> bool:
        """Whether the next run should go on: this one is long, or began before trunks decided.

        What is left to do goes with the state, but for orders: their answers belong to this run.
        """
        if self._state.removed or not workflow.all_handlers_finished():
            return False
        if not self._decides and (self._hands_over or self._state.undecided):
            return True
        return workflow.info().is_continue_as_new_suggested()

    def _continue(self) -> None:
        if not self._decides:
            self._keep(undecided=True)
        workflow.continue_as_new(self._state)

    async def _adopt(self) -> None:
        """Go by the newest revision: what came between was replaced before anything acted on it."""
        revision = self._state.known
        await trunk_steps.adopt(self._state, revision)
        self._keep(adopted=revision)
        if self._decides:
            self._keep(undecided=True, looked_at=None)

    async def _decide(self) -> None:
        """Look, and publish what was decided; whatever comes meanwhile is for the next time."""
        self._keep(undecided=False, looked_at=workflow.now())
        ordered, state = self._ordered, self._state
        decision = await trunk_steps.look(state)
        if decision is None:
            self._keep(removed=True)
            return
        if self._ordered > ordered:
            # The decision knows nothing of an order that came meanwhile: the next one takes its place.
            self._keep(undecided=True)
            return
        for alert in decision.raised:
            workflow.logger.warning("a trunk needs attention", extra={"alert": alert.value})
        self._keep(failover=decision.failover, commands=decision.commands, wake_at=decision.wake_at)
        if decision.route is not None:
            await trunk_steps.publish(state, decision.route)
        await self._note_drills(decision.open_drills)
        self._obeyed = ordered

    async def _note_drills(self, open_drills: Sequence[str]) -> None:
        """Write how the drill stands; one that ended is forgotten."""
        commands = self._state.commands
        drill = commands.drill
        if drill is not None and drill.end is None:
            drill = switched(drill, workflow.now())
            self._keep(commands=commands.model_copy(update={"drill": drill}))
        if drill is not None and drill != self._state.noted:
            await self._note(drill)
        known = None if drill is None else drill.drill_id
        for drill_id in open_drills:
            if drill_id != known:
                await trunk_steps.end_drill(self._state, drill_id, workflow.now())

    async def _note(self, drill: Drill) -> None:
        over = drill.end is not None
        report = report_of(
            drill,
            hold=timedelta(seconds=self._state.failover.hold_seconds),
            restored_at=workflow.now() if over else None,
        )
        await trunk_steps.note_drill(self._state, drill, report)
        self._keep(noted=drill)
        commands = self._state.commands
        if over and commands.drill == drill:
            self._keep(commands=commands.model_copy(update={"drill": None}), noted=None)
