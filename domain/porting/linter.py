"""A look at an order before anybody signs: what carriers would send it back for.

Sources: API contract 6.3 for what an order has, 47 CFR 52.36 for what a losing carrier may compare.
Most rejections are foreseeable, and each costs days.
"""

from __future__ import annotations

from datetime import timedelta

from domain.porting.findings import Finding, Findings, LintSubject, Severity, error, warning
from domain.porting.lint_account import account_findings, pin_findings
from domain.porting.lint_address import address_findings
from domain.porting.lint_billing import billing_findings
from domain.porting.lint_names import name_findings
from domain.porting.order import OrderField
from domain.porting.requested_date import judge_date

__all__ = ["Finding", "LintSubject", "Severity", "lint"]


def lint(subject: LintSubject) -> tuple[Finding, ...]:
    """Everything that was found, errors first."""
    found = [
        *name_findings(subject),
        *address_findings(subject),
        *account_findings(subject),
        *billing_findings(subject),
        *pin_findings(subject),
        *_paper_findings(subject),
        *_date_findings(subject),
    ]
    return tuple(sorted(found, key=lambda each: each.severity is Severity.WARNING))


def _paper_findings(subject: LintSubject) -> Findings:
    details, days = subject.details, subject.profile.bill_days
    if not details.document_ids:
        yield warning(
            "documents_missing",
            OrderField.DOCUMENTS,
            "There is no bill; the order waits until one is attached.",
            f"Upload the newest one, at most {days} days old.",
        )
    issued = details.document_date
    if issued is None:
        return
    if issued > subject.today:
        yield error(
            "bill_from_the_future",
            OrderField.DOCUMENTS,
            "The bill is said to be of a day that is yet to come.",
            "Enter the day on which it was issued.",
            submitted=str(issued),
        )
    elif issued < subject.today - timedelta(days=days):
        yield warning(
            "bill_old",
            OrderField.DOCUMENTS,
            f"The bill is more than {days} days old; the carrier will refuse it.",
            "Upload the newest one.",
            submitted=str(issued),
        )


def _date_findings(subject: LintSubject) -> Findings:
    wanted = subject.details.requested_date
    if wanted is None:
        return
    verdict = judge_date(
        wanted, subject.now, subject.profile, subject.calendar, lead_days=subject.lead_days
    )
    if verdict.problem is None:
        return
    make = warning if verdict.allowed else error
    yield make(
        verdict.problem,
        OrderField.REQUESTED_DATE,
        verdict.reason,
        f"Ask for {verdict.proposed}, or leave the date out.",
        submitted=str(wanted),
    )
