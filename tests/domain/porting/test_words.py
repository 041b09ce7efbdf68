"""Statuses and what they mean to people."""

from __future__ import annotations

import pytest

from domain.porting.words import (
    TERMINAL,
    NumberStatus,
    PublicStatus,
    SubStatus,
    next_step,
    number_public_status,
    public_status,
    public_text,
)


@pytest.mark.parametrize("sub_status", SubStatus)
def test_every_sub_status_has_a_public_one_a_sentence_and_a_next_step(
    sub_status: SubStatus,
) -> None:
    assert public_status(sub_status) in PublicStatus
    assert public_text(sub_status).endswith(".")
    assert next_step(sub_status).endswith(".")


def test_only_drafts_are_drafts_to_clients() -> None:
    drafts = [each for each in SubStatus if public_status(each) is PublicStatus.DRAFT]
    assert drafts == [SubStatus.DRAFT]


def test_what_has_ended_looks_ended_and_nothing_else_does() -> None:
    ended = {PublicStatus.COMPLETED, PublicStatus.CANCELED, PublicStatus.FAILED}
    assert {each for each in SubStatus if public_status(each) in ended} == TERMINAL


@pytest.mark.parametrize(
    ("number", "order", "public"),
    [
        (NumberStatus.REQUESTED, SubStatus.AWAITING_SIGNATURE, "waiting_for_signature"),
        (NumberStatus.SUBMITTED, SubStatus.LSR_SENT, "submitted"),
        (NumberStatus.ACCEPTED, SubStatus.FOC_CONFIRMED, "in_progress"),
        (NumberStatus.PORTED, SubStatus.VERIFYING, "in_progress"),
        (NumberStatus.VERIFIED, SubStatus.VERIFYING, "completed"),
        (NumberStatus.PORTED, SubStatus.COMPLETED, "completed"),
        (NumberStatus.REJECTED, SubStatus.PARTIALLY_COMPLETED, "failed"),
        (NumberStatus.REJECTED, SubStatus.CANCELED, "canceled"),
        (NumberStatus.DROPPED, SubStatus.COMPLETED, "canceled"),
        (NumberStatus.FAILED, SubStatus.CANCELED, "failed"),
        (NumberStatus.REQUESTED, SubStatus.EXPIRED, "canceled"),
    ],
)
def test_a_number_has_a_status_of_its_own_once_it_differs(
    number: NumberStatus, order: SubStatus, public: str
) -> None:
    assert number_public_status(number, order) == public
