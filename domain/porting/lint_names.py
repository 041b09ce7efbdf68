"""Names of the account and of its representative, as carriers compare them: letter by letter."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from domain.porting.findings import Findings, LintSubject, error, warning
from domain.porting.order import OrderField
from domain.porting.words import CustomerType, PortKind

__all__ = ["name_difference", "name_findings"]

_TRUNCATED_AT: Final = 15
"""Characters of the representative's name that some carriers' forms have."""

_COMPANY: Final = re.compile(
    r"\b(inc|incorporated|llc|l\.l\.c|corp|corporation|ltd|limited|company|gmbh|pllc|llp)\b\.?",
    re.IGNORECASE,
)
_FORMS: Final = {
    "incorporated": "inc",
    "corporation": "corp",
    "limited": "ltd",
    "company": "co",
    "and": "&",
}
_FIELD = OrderField


def name_findings(subject: LintSubject) -> Findings:
    """Findings about who owns the account and who signs for it."""
    yield from _written(_FIELD.CUSTOMER_NAME, "name on the account", subject.details.account_name)
    yield from _account(subject)
    yield from _written(
        _FIELD.AUTHORIZED_REPRESENTATIVE, "name of the representative", subject.details.signer
    )
    yield from _representative(subject)


def name_difference(submitted: str, on_record: str) -> str | None:
    """How two names differ, for people; ``None`` when they are the same to the letter."""
    if submitted == on_record:
        return None
    if submitted.casefold() == on_record.casefold():
        return "only upper and lower case differ"
    if _letters(submitted) == _letters(on_record):
        return "only spaces, commas, dots or accents differ"
    if _plain_forms(submitted) == _plain_forms(on_record):
        return "the company form is written out in one and short in the other"
    return "the names differ"


def _written(field: OrderField, called: str, name: str) -> Findings:
    if not name.strip():
        yield error(
            f"{field}_missing", field, f"The {called} is missing.", "Copy it from the bill."
        )
        return
    if not name.isprintable():
        yield error(
            f"{field}_unprintable",
            field,
            f"The {called} has a line break or another control character in it.",
            "Write it in one line.",
        )
    elif name != " ".join(name.split()):
        yield warning(
            f"{field}_spaces",
            field,
            f"The {called} begins or ends with a space, or has two in a row.",
            "Write it as on the bill; carriers compare letter by letter.",
            submitted=name,
        )


def _account(subject: LintSubject) -> Findings:
    details = subject.details
    name = details.account_name
    business = details.customer_type is CustomerType.BUSINESS
    if not business and subject.kind is PortKind.TOLL_FREE:
        yield error(
            "toll_free_needs_business",
            _FIELD.CUSTOMER_TYPE,
            "Toll-free numbers are ported for businesses only.",
            "Give the business that subscribes to the number, with its name as on the bill.",
            submitted=details.customer_type,
        )
    if not business and _COMPANY.search(name):
        yield warning(
            "customer_type_doubtful",
            _FIELD.CUSTOMER_TYPE,
            "The account is said to be an individual's, but its name is that of a company.",
            "Choose business if the bill goes to the company.",
            submitted=name,
        )
    difference = None if subject.bill_name is None else name_difference(name, subject.bill_name)
    if difference is not None:
        yield warning(
            "name_differs_from_bill",
            _FIELD.CUSTOMER_NAME,
            f'The bill says "{subject.bill_name}": {difference}.',
            "Write the name exactly as the bill has it.",
            submitted=name,
        )


def _representative(subject: LintSubject) -> Findings:
    details = subject.details
    signer = details.signer
    if len(signer) > _TRUNCATED_AT:
        yield warning(
            "representative_long",
            _FIELD.AUTHORIZED_REPRESENTATIVE,
            f"Some carriers cut this name after {_TRUNCATED_AT} characters and compare what is left.",
            "Shorten it only if the carrier's record has it shorter.",
            submitted=signer,
        )
    if _COMPANY.search(signer) or (signer.strip() and len(signer.split()) == 1):
        yield warning(
            "representative_no_person",
            _FIELD.AUTHORIZED_REPRESENTATIVE,
            "This does not look like the full name of a person, and a person has to sign.",
            "Give first and last name of somebody who is listed on the account.",
            submitted=signer,
        )
    individual = details.customer_type is CustomerType.INDIVIDUAL
    if individual and name_difference(signer, details.account_name) == "the names differ":
        yield warning(
            "representative_not_holder",
            _FIELD.AUTHORIZED_REPRESENTATIVE,
            "Another person signs than the one whose account it is.",
            "Let the account's holder sign, or make sure that the carrier lists this person.",
            submitted=signer,
        )


def _letters(name: str) -> str:
    parted = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in parted if each.isalnum())


def _plain_forms(name: str) -> str:
    words = re.findall(r"[^\W_]+|&", name.casefold())
    return " ".join(_FORMS.get(word, word) for word in words)
