"""Which numbers can be ported, and which of them go into one order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.porting.numbers import ExclusionReason, classify, group_for_orders
from domain.porting.portability import PortabilityCheck
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.words import NumberType, Portability, PortKind
from tests.domain.porting.orders import NUMBER, OTHER, check

TOLL_FREE = "+18005550100"
CANADIAN = "+14165550100"


@pytest.mark.parametrize(
    ("number", "kind", "country", "excluded"),
    [
        ("+14150000000", PortKind.LOCAL, "US", None),
        (CANADIAN, PortKind.LOCAL, "CA", None),
        ("+17875550100", PortKind.LOCAL, "PR", None),
        ("+13405550100", PortKind.LOCAL, "VI", None),
        (TOLL_FREE, PortKind.TOLL_FREE, "US", None),
        ("+18885550100", PortKind.TOLL_FREE, "US", None),
        ("+18765550100", PortKind.LOCAL, "JM", ExclusionReason.COUNTRY_NOT_SERVED),
        ("+12425550100", PortKind.LOCAL, "BS", ExclusionReason.COUNTRY_NOT_SERVED),
        ("+19005550100", PortKind.LOCAL, "US", ExclusionReason.PREMIUM_RATE),
        ("+15005550100", PortKind.LOCAL, "US", ExclusionReason.PERSONAL),
        ("+12115550100", PortKind.LOCAL, None, ExclusionReason.UNKNOWN_AREA_CODE),
        ("+442071838750", PortKind.LOCAL, None, ExclusionReason.NOT_NORTH_AMERICAN),
        ("14155550100", PortKind.LOCAL, None, ExclusionReason.NOT_NORTH_AMERICAN),
        ("+1415555010x", PortKind.LOCAL, None, ExclusionReason.NOT_NORTH_AMERICAN),
        ("", PortKind.LOCAL, None, ExclusionReason.NOT_NORTH_AMERICAN),
    ],
)
def test_a_number_is_told_by_its_area_code(
    number: str, kind: PortKind, country: str | None, excluded: ExclusionReason | None
) -> None:
    found = classify(number)
    assert (found.kind, found.country, found.excluded) == (kind, country, excluded)


def test_numbers_of_one_carrier_make_one_order() -> None:
    one = check(NUMBER, spid="1234", losing_carrier=None)
    grouping = group_for_orders([one, check(OTHER, spid="1234", losing_carrier="Old")])
    [group] = grouping.groups
    assert group.numbers == (NUMBER, OTHER)
    assert (group.spid, group.losing_carrier, group.country) == ("1234", "Old", "US")
    assert not grouping.mixed
    assert grouping.excluded == ()


def test_carriers_kinds_and_countries_are_parted() -> None:
    grouping = group_for_orders(
        [
            check(NUMBER, spid="1234"),
            check(OTHER, spid="9999"),
            check(TOLL_FREE, spid="1234"),
            check(CANADIAN, spid="1234"),
        ]
    )
    assert [each.numbers for each in grouping.groups] == [
        (NUMBER,), (OTHER,), (TOLL_FREE,), (CANADIAN,),
    ]  # fmt: skip
    assert grouping.mixed


def test_a_carrier_that_nobody_knows_is_a_group_of_its_own() -> None:
    third = "+14155550102"
    grouping = group_for_orders([check(NUMBER, spid="1234"), check(OTHER), check(third)])
    assert [each.numbers for each in grouping.groups] == [(NUMBER,), (OTHER, third)]
    assert grouping.groups[1].spid is None


def test_unknown_carriers_with_different_names_are_different() -> None:
    checks = [check(NUMBER, losing_carrier="A"), check(OTHER, losing_carrier="B")]
    assert group_for_orders(checks).mixed


def test_accounts_are_parted_where_they_are_told() -> None:
    checks = [check(NUMBER, spid="1"), check(OTHER, spid="1")]
    assert group_for_orders(checks, accounts={NUMBER: "a", OTHER: "b"}).mixed
    assert not group_for_orders(checks, accounts={NUMBER: "a", OTHER: "a"}).mixed


def test_what_cannot_be_ported_is_named_with_the_reason() -> None:
    refused = check(NUMBER, portability=Portability.NO, code=RejectionCode.ALREADY_HERE)
    plain = check(OTHER, portability=Portability.NO, reason="No coverage there.")
    silent = check("+14155550102", portability=Portability.NO)
    unknown = check("+14155550103", portability=Portability.UNKNOWN)
    grouping = group_for_orders([refused, plain, silent, unknown, check("+19005550100")])
    assert [each.numbers for each in grouping.groups] == [("+14155550103",)]
    said = {each.number: each for each in grouping.excluded}
    assert said[NUMBER].text == REJECTIONS[RejectionCode.ALREADY_HERE].fix
    assert said[NUMBER].code is RejectionCode.ALREADY_HERE
    assert said[OTHER].text == "No coverage there."
    assert said["+14155550102"].reason is ExclusionReason.NOT_PORTABLE
    assert said["+19005550100"].reason is ExclusionReason.PREMIUM_RATE
    assert all(each.text.endswith(".") for each in grouping.excluded)


def test_a_new_area_code_that_the_carrier_knows_is_ported() -> None:
    new = "+12115550100"
    [group] = group_for_orders([check(new, country="CA")]).groups
    assert group.country == "CA"
    assert group_for_orders([check(new)]).groups[0].country == "US"
    assert group_for_orders([check(new, portability=Portability.UNKNOWN)]).groups == ()


def test_a_number_that_is_not_known_is_not_portable_to_the_contract() -> None:
    assert check().portable
    assert not check(portability=Portability.UNKNOWN).portable


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            PortabilityCheck,
            number=st.builds(
                "+1{}55501{:02}".format,
                st.sampled_from(["415", "416", "800", "900", "500", "876", "211", "340"]),
                st.integers(0, 9),
            )
            | st.text(max_size=4),
            portability=st.sampled_from(Portability),
            number_type=st.none() | st.sampled_from(NumberType),
            code=st.none() | st.sampled_from(RejectionCode),
            losing_carrier=st.none() | st.sampled_from(["A", "B"]),
            spid=st.none() | st.sampled_from(["", "1", "2"]),
        ),
        max_size=12,
    )
)
def test_every_number_is_in_one_group_or_excluded_with_a_reason(
    checks: list[PortabilityCheck],
) -> None:
    grouping = group_for_orders(checks)
    grouped = [number for group in grouping.groups for number in group.numbers]
    excluded = [each.number for each in grouping.excluded]
    assert sorted(grouped + excluded) == sorted({each.number for each in checks})
    assert all(each.text for each in grouping.excluded)
    first = {each.number: each for each in reversed(checks)}
    for group in grouping.groups:
        assert {classify(number).kind for number in group.numbers} == {group.kind}
        assert {first[number].spid or None for number in group.numbers} == {group.spid}
