"""Trunk: the entity behind one trunk, for as long as the trunk lives.

Promises: it goes by each revision of the configuration in order and once, however often the relay
repeats itself, and the trunk's row says which; it ends when the trunk was removed.
"""

from __future__ import annotations

from temporalio import workflow

from workflows.names import WORKFLOW_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        ADOPT_RETRY,
        ADOPT_TIMEOUT,
        AdoptedRevision,
        TrunkContract,
        TrunkRevision,
        TrunkStanding,
        TrunkState,
    )

__all__ = ["TrunkWorkflow"]


@workflow.defn(name="Trunk")
class TrunkWorkflow:
    """Signals: ``revised``. Queries: ``standing``."""

    @workflow.init
    def __init__(self, state: TrunkState) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: TrunkState) -> TrunkStanding:
        """Adopt revisions as they come, until the trunk is removed."""
        while not self._state.removed:
            await workflow.wait_condition(self._has_work)
            if self._is_behind():
                await self._adopt()
            elif not self._state.removed:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._state)
        return self.standing()

    @workflow.signal
    def revised(self, revision: TrunkRevision) -> None:
        """A revision was committed. One that is known already, or older, changes nothing."""
        if revision.revision > self._state.known:
            self._state = self._state.model_copy(
                update={"known": revision.revision, "removed": revision.removed}
            )

    @workflow.query
    def standing(self) -> TrunkStanding:
        """The revisions it knows of and goes by."""
        state = self._state
        return TrunkStanding(known=state.known, adopted=state.adopted, removed=state.removed)

    def _has_work(self) -> bool:
        return (
            self._state.removed
            or self._is_behind()
            or workflow.info().is_continue_as_new_suggested()
        )

    def _is_behind(self) -> bool:
        return not self._state.removed and self._state.adopted < self._state.known

    async def _adopt(self) -> None:
        """Go by the newest revision: what came between was replaced before anything acted on it."""
        revision = self._state.known
        await workflow.execute_activity_method(
            TrunkContract.adopt,
            AdoptedRevision(
                trunk_id=self._state.trunk_id, org_id=self._state.org_id, revision=revision
            ),
            task_queue=WORKFLOW_QUEUE,
            start_to_close_timeout=ADOPT_TIMEOUT,
            retry_policy=ADOPT_RETRY,
        )
        self._state = self._state.model_copy(update={"adopted": revision})
