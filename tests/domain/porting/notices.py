"""Notices about port orders for tests."""

from __future__ import annotations

from typing import Any

from domain.porting.effects import Audience, EntryKind, Notice, NoticeKind
from domain.porting.words import SubStatus

__all__ = ["a_notice"]


def a_notice(
    kind: NoticeKind = NoticeKind.STATUS,
    status: SubStatus = SubStatus.FOC_CONFIRMED,
    **fields: Any,
) -> Notice:
    """A notice to a customer, unless it says something else."""
    return Notice(
        **{
            "key": "1.0",
            "kind": kind,
            "audience": Audience.CUSTOMER,
            "status": status,
            "entry": EntryKind.STATUS,
            **fields,
        }
    )
