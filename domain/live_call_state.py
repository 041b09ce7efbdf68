"""A call's memory as JSON, so that a restarted collector goes on with a call that it finds stored.

Tolerant in one direction: what a newer version added with a default is missing from an older state.
A state of an unknown version or of another shape is refused, and the call begins anew.
"""

from __future__ import annotations

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from domain.live_call_reading import MAX_CALL_ID
from domain.live_call_record import MAX_COPIES, MAX_REINVITES, MAX_SIGHTINGS, MAX_TIMES, CallRecord
from domain.live_call_sighting import Correlation, Sighting

__all__ = ["VERSION", "StateRefused", "from_state", "state_of"]

VERSION: Final = 1


class StateRefused(ValueError):
    """The stored state of a call cannot be read; the call is assembled from what comes now."""


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = Field(ge=VERSION, le=VERSION)
    call_id: str = Field(min_length=1, max_length=MAX_CALL_ID)
    heard: AwareDatetime
    last_at: int = 0
    sightings: tuple[Sighting, ...] = Field(default=(), max_length=MAX_SIGHTINGS)
    copies: tuple[tuple[int, tuple[int, ...]], ...] = Field(default=(), max_length=MAX_COPIES)
    reinvites: tuple[tuple[str, int], ...] = Field(default=(), max_length=MAX_REINVITES)
    correlation: Correlation | None = None
    closed: int | None = None
    forgotten: int = Field(default=0, ge=0)
    forgotten_repeats: int = Field(default=0, ge=0)


def state_of(record: CallRecord) -> dict[str, object]:
    """What `json.dumps` takes and `from_state` reads; 2 to 6 kB of JSON for most calls."""
    return {
        "version": VERSION,
        "call_id": record.sip_call_id,
        "heard": record.heard.isoformat(),
        "last_at": record.last_at,
        "sightings": list(record.sightings.values()),
        "copies": list(record.copies.items()),
        "reinvites": sorted(record.reinvites),
        "correlation": record.correlation,
        "closed": record.closed,
        "forgotten": record.forgotten,
        "forgotten_repeats": record.forgotten_repeats,
    }


def from_state(state: object) -> CallRecord:
    """The memory that was stored, as it came from JSON. Raises ``StateRefused``."""
    try:
        read = _State.model_validate(state)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise StateRefused(f"stored call state, {where or 'whole'}: {first['msg']}") from error
    return CallRecord(
        sip_call_id=read.call_id,
        heard=read.heard,
        last_at=read.last_at,
        sightings={each.key: each for each in read.sightings},
        copies={digest: times[:MAX_TIMES] for digest, times in read.copies if times},
        reinvites=set(read.reinvites),
        correlation=read.correlation,
        closed=read.closed,
        forgotten=read.forgotten,
        forgotten_repeats=read.forgotten_repeats,
    )
