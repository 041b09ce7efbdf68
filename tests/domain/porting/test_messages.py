"""Mails about port orders: one text for everything that is told, safe whoever wrote the names in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.porting.effects import Audience, EntryKind, NoticeKind
from domain.porting.messages import LINK, MailContent, compose_notice, copy_mail, mail_content
from domain.porting.notice_facts import (
    NoticeFacts,
    NoticeLinks,
    NumberFacts,
    RejectionFacts,
    sent_values,
)
from domain.porting.order import Address, PortDetails
from domain.porting.port_event_schema import example_facts
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.signature_trail import SignatureAction
from domain.porting.state import Warned
from domain.porting.words import CustomerType, NumberStatus, SubStatus
from tests.domain.porting.notices import a_notice

AT = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
FOC = datetime(2026, 12, 8, 16, 30, tzinfo=UTC)

DETAILS = PortDetails(
    customer_type=CustomerType.BUSINESS,
    customer_name="Acme, Inc.",
    authorized_representative="Jane Roe",
    authorized_representative_email="jane@acme.example",
    service_address=Address(street="1 Main St", city="Denver", state="CO", zip="80202"),
    requested_date=date(2026, 12, 7),
    billing_telephone_number="+13035550100",
    customer_reference="PO 7",
)


def facts(status: SubStatus = SubStatus.FOC_CONFIRMED, **fields: object) -> NoticeFacts:
    return replace(example_facts(status), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [each for each in SubStatus if each is not SubStatus.DRAFT])
def test_every_transition_has_its_text(status: SubStatus) -> None:
    made = compose_notice(a_notice(status=status), facts(status))

    assert made.subject.endswith("(PO 7)")
    assert "What happened:" in made.text
    assert "What to do:" in made.text
    assert "+14155550100" in made.text
    for word in ("What happened", "+14155550100", "Acme, Inc."):
        assert word in made.html


def test_no_two_transitions_have_the_same_subject() -> None:
    subjects = [
        compose_notice(a_notice(status=each), facts(each)).subject
        for each in SubStatus
        if each is not SubStatus.DRAFT
    ]
    assert len(set(subjects)) == len(subjects)


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("audience", Audience)
def test_every_kind_of_notice_has_its_text(kind: NoticeKind, audience: Audience) -> None:
    bare = facts(
        foc_at=None, requested_date=None, reference=None, account_name="", losing_carrier=""
    )
    for known in (facts(), bare):
        made = compose_notice(a_notice(kind, audience=audience), known)
        assert made.subject
        assert "None" not in made.text


@pytest.mark.parametrize("entry", EntryKind)
def test_the_desk_is_told_what_to_do(entry: EntryKind) -> None:
    notice = a_notice(NoticeKind.NEEDS_OPERATOR, audience=Audience.OPERATOR, entry=entry)
    made = compose_notice(notice, facts(entries=("It was silent.",), carrier_order_id="SIM-1"))

    assert "It was silent." in made.text
    assert "Order at the winning carrier: SIM-1" in made.text
    assert "org_4fJq0ZxYbT1mN8cRw2LkPa" in made.text


@pytest.mark.parametrize("code", RejectionCode)
def test_a_rejection_comes_with_its_cure_and_what_was_sent(code: RejectionCode) -> None:
    details = DETAILS.model_copy(update={"new_billing_telephone_number": "+13035550111"})
    said = RejectionFacts(code, ("+14155550100",), "NO\nMATCH", sent_values(details, code))
    made = compose_notice(
        a_notice(status=SubStatus.ACTION_REQUIRED),
        facts(SubStatus.ACTION_REQUIRED, rejections=(said,)),
    )

    assert REJECTIONS[code].fix in made.text
    assert 'The carrier said: "NO MATCH"' in made.text
    assert "Concerned: +14155550100" in made.text
    if code is RejectionCode.NAME_MISMATCH:
        assert "You sent: Name on the account Acme, Inc." in made.text
    if code is RejectionCode.ADDRESS_MISMATCH:
        assert "You sent: Service address 1 Main St, Denver, CO 80202, US" in made.text
    if code in (RejectionCode.PIN_INVALID, RejectionCode.ACCOUNT_NUMBER_MISMATCH):
        assert "(not shown)" in made.text


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((RejectionCode.PIN_REQUIRED,), "A transfer PIN is needed"),
        ((RejectionCode.PIN_INVALID, RejectionCode.PIN_REQUIRED), "A transfer PIN is needed"),
        ((RejectionCode.PIN_INVALID, RejectionCode.NAME_MISMATCH), "sent the request back"),
        ((), "sent the request back"),
    ],
)
def test_a_missing_pin_is_in_the_subject(codes: tuple[RejectionCode, ...], said: str) -> None:
    known = facts(
        SubStatus.ACTION_REQUIRED, rejections=tuple(RejectionFacts(code) for code in codes)
    )
    made = compose_notice(a_notice(status=SubStatus.ACTION_REQUIRED), known)
    assert said in made.subject


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (date(2026, 12, 8), "That is the day you asked for."),
        (date(2026, 12, 7), "You asked for 2026-12-07: it is 1 day later."),
        (date(2026, 12, 11), "You asked for 2026-12-11: it is 3 days earlier."),
    ],
)
def test_a_date_is_held_against_the_one_asked_for(wish: date, said: str) -> None:
    made = compose_notice(a_notice(), facts(requested_date=wish))

    assert said in made.text
    assert "Tuesday 2026-12-08, 09:30 MST (16:30 UTC)" in made.text


def test_without_a_wish_the_date_stands_for_itself() -> None:
    made = compose_notice(a_notice(), facts(requested_date=None))
    assert "The switch is on Tuesday 2026-12-08" in made.text
    assert "asked for" not in made.text


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (FOC - timedelta(days=4), "The switch is 4 days later."),
        (FOC + timedelta(days=1), "The switch is 1 day earlier."),
        (FOC - timedelta(hours=2), "The day is the same."),
    ],
)
def test_a_moved_date_says_what_moved(before: datetime, said: str) -> None:
    notice = a_notice(NoticeKind.FOC_CHANGED)
    made = compose_notice(notice, facts(foc_before=before, changes_left=2))

    assert said in made.text
    assert "2 changes of the confirmed date remain" in made.text
    assert "Before: " in made.text


def test_completion_says_to_cancel_the_old_service() -> None:
    known = facts(SubStatus.COMPLETED)
    made = compose_notice(a_notice(status=SubStatus.COMPLETED), known)
    assert "cancel your old service now" in made.subject

    missed = replace(known, warnings=(Warned.CANCEL_MISSED, Warned.UNVERIFIED))
    late = compose_notice(a_notice(status=SubStatus.COMPLETED), missed)
    assert "the cancellation came too late" in late.subject
    assert "You had asked to cancel" in late.text


def test_a_partial_completion_names_what_did_not_come() -> None:
    known = facts(SubStatus.PARTIALLY_COMPLETED)
    lost = NumberFacts("+14155550102", NumberStatus.CANCELED)
    made = compose_notice(
        a_notice(status=SubStatus.PARTIALLY_COMPLETED),
        replace(known, numbers=(*known.numbers, lost)),
    )

    fix = REJECTIONS[RejectionCode.NUMBER_INACTIVE].fix
    assert f"+14155550101: {fix}" in made.text
    assert "- +14155550102\n" in made.text
    assert "1 number of 3 came." in made.text


@pytest.mark.parametrize("warning", Warned)
def test_every_warning_has_its_words(warning: Warned) -> None:
    known = facts(SubStatus.COMPLETED, warnings=(warning,))
    made = compose_notice(a_notice(status=SubStatus.COMPLETED), known)
    assert "Please note" in made.text


@pytest.mark.parametrize(
    ("entry", "said"),
    [(EntryKind.REMINDED, "waits for you"), (EntryKind.REJECTED, "came back again")],
)
def test_a_reminder_is_told_from_another_rejection(entry: EntryKind, said: str) -> None:
    notice = a_notice(NoticeKind.ACTION_REMINDER, SubStatus.ACTION_REQUIRED, entry=entry)
    made = compose_notice(notice, facts(SubStatus.ACTION_REQUIRED))
    assert said in made.subject
    assert "The order ends by itself if that is not done by" in made.text


@pytest.mark.parametrize(
    ("kind", "trail"),
    [
        (NoticeKind.SIGNATURE_LINK, SignatureAction.LINK_SENT),
        (NoticeKind.SIGNATURE_REMINDER, SignatureAction.REMINDER_SENT),
    ],
)
def test_a_mail_to_the_signer_gets_its_link_when_it_is_sent(
    kind: NoticeKind, trail: SignatureAction
) -> None:
    known = facts(
        SubStatus.AWAITING_SIGNATURE,
        expires_at=FOC,
        links=NoticeLinks(order="https://trunkline.example/order"),
    )
    notice = a_notice(kind, SubStatus.AWAITING_SIGNATURE, audience=Audience.SIGNER)
    mail = mail_content(notice, known, letter=2)
    stored = MailContent.model_validate(mail.stored())

    assert stored == mail
    assert (mail.letter, mail.trail) == (2, trail)
    assert LINK in mail.text
    assert "https://trunkline.example/order" not in mail.text
    sent = mail.with_link("https://trunkline.example/sign/link/x?a=1&b=2")
    assert LINK not in sent.text + sent.html
    assert "https://trunkline.example/sign/link/x?a=1&b=2" in sent.text
    assert 'href="https://trunkline.example/sign/link/x?a=1&amp;b=2"' in sent.html
    assert "until Tuesday 2026-12-08" in sent.text


def test_other_mails_have_no_link_that_signs() -> None:
    known = facts(links=NoticeLinks(order="https://trunkline.example/order"))
    mail = mail_content(a_notice(), known, letter=2)

    assert (mail.letter, mail.trail, mail.loa_id) == (None, None, None)
    assert LINK not in mail.text + mail.html
    assert "https://trunkline.example/order" in mail.text
    assert set(mail.stored()) == {"subject", "text", "html"}


def test_a_hundred_numbers_are_counted() -> None:
    numbers = tuple(
        NumberFacts(f"+1415555{each:04}", NumberStatus.SUBMITTED) for each in range(100)
    )
    made = compose_notice(a_notice(), facts(numbers=numbers))
    assert "Numbers (100)" in made.text
    assert "and 50 more" in made.text


def test_a_copy_says_what_it_is() -> None:
    made = copy_mail(
        order_id="port_1", signer="Jane Roe", numbers=[], signed_at=AT, sha256="ab" * 32
    )
    assert "ab" * 32 in made.text
    assert "Signed by: Jane Roe" in made.text
    assert "Numbers" not in made.text


EVIL = st.text(
    st.one_of(st.sampled_from([*"<>&\"'\n\r\t\x00\u2028{}%", LINK]), st.characters(codec="utf-8")),
    max_size=40,
)


@given(evil=EVIL, kind=st.sampled_from(NoticeKind), status=st.sampled_from(SubStatus))
def test_what_others_wrote_is_text(evil: str, kind: NoticeKind, status: SubStatus) -> None:
    written = f"<b>{evil}"
    known = facts(
        status,
        account_name=written,
        signer=written,
        reference=written,
        losing_carrier=written,
        rejections=(
            RejectionFacts(
                RejectionCode.NAME_MISMATCH, (), written, (("Name on the account", written),)
            ),
        ),
    )
    made = compose_notice(a_notice(kind, status), known)

    assert made.subject.isprintable()
    assert "<b>" not in made.html
    links = kind in (NoticeKind.SIGNATURE_LINK, NoticeKind.SIGNATURE_REMINDER)
    assert made.text.count(LINK) == (1 if links else 0)
