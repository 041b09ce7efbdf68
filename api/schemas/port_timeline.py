"""The timeline of a port order, and small answers about one."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from domain.porting.words import PublicStatus, SubStatus
from storage.tables import PortTimelineEntry

__all__ = [
    "CommentedView",
    "ResentView",
    "ResubmittedView",
    "SimulatedView",
    "StandingView",
    "TimelineEntryView",
    "TimelineView",
]


class TimelineEntryView(BaseModel):
    """One thing that happened."""

    id: int
    at: AwareDatetime
    kind: str
    actor: Annotated[str, Field(description="Whose doing it is.")]
    text: str
    raw: Annotated[str | None, Field(description="A carrier's own words.")]
    from_sub_status: SubStatus | None
    to_sub_status: SubStatus | None
    data: dict[str, Any]
    public: Annotated[bool, Field(description="`false`: only operators see it.")]

    @classmethod
    def of(cls, row: PortTimelineEntry) -> TimelineEntryView:
        """The entry of a row."""
        return cls(
            id=row.id,
            at=row.at,
            kind=row.kind,
            actor=row.actor,
            text=row.text,
            raw=row.raw,
            from_sub_status=row.from_sub_status,
            to_sub_status=row.to_sub_status,
            data=row.data,
            public=row.public,
        )


class TimelineView(BaseModel):
    """Entries, the oldest first."""

    entries: list[TimelineEntryView]
    next_cursor: Annotated[
        str | None, Field(description="Give it as `cursor`; null while there is no more.")
    ]


class CommentedView(BaseModel):
    """A comment that is in the timeline."""

    commented: bool = True


class ResentView(BaseModel):
    """A new link is on its way."""

    resent: bool = True


class StandingView(BaseModel):
    """Where an order stands after what was asked for."""

    id: str
    status: PublicStatus
    sub_status: SubStatus
    status_text: str
    next_step: str
    requested_port_date: date | None
    warnings: Annotated[list[str], Field(description="What to know of it, for people.")]


class ResubmittedView(StandingView):
    """An order that was corrected."""

    needs_new_loa: Annotated[bool, Field(description="Somebody has to sign again first.")]


class SimulatedView(BaseModel):
    """What the simulated carrier was told."""

    scenario: str | None
    event: str | None
