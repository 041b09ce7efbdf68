"""Which processes are alive."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from storage.columns import Moment, StorableText, Word

__all__ = ["ProcessKind", "WorkerPresence"]


class ProcessKind(StrEnum):
    """What a process does."""

    WORKER = "worker"
    API = "api"


class WorkerPresence(SQLModel, table=True):
    """One process, as it last said of itself. Belongs to no organization."""

    __tablename__ = "worker_presence"
    __table_args__ = (
        CheckConstraint("kind IN ('worker', 'api')", name="worker_presence_kind"),
        Index("worker_presence_seen", "kind", "seen_at"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    kind: ProcessKind = Field(sa_type=Word(ProcessKind))
    host: str = Field(sa_type=StorableText)
    pid: int
    task_queues: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    started_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
