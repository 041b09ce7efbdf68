"""The operator's file of losing carriers: the shipped one, and what is wrong with others."""

from __future__ import annotations

from importlib.resources import files

import pytest

from domain.porting.carrier_profile import InvalidCarriers, parse_carriers
from tests.domain.porting.orders import shipped

TEXT = (files("domain.porting") / "carriers.toml").read_text()


def added(lines: str) -> str:
    return f'{TEXT}\n[profiles.mine]\nlabel = "Mine"\n{lines}\n'


def test_the_shipped_file_is_a_generic_default_with_labelled_examples() -> None:
    assert shipped().default.time_zone == "America/New_York"
    assert not shipped().default.example
    examples = [each for each in shipped().profiles.values() if each.key != "default"]
    assert examples
    assert all(each.example and each.label.startswith("EXAMPLE") for each in examples)


def test_a_carrier_is_found_by_spid_before_its_name() -> None:
    found = shipped().profile_for("Example Rural Telephone of Elsewhere", "EX01")
    assert found.key == "example_mobile"
    assert shipped().profile_for(" EXAMPLE rural telephone", "0000").key == "example_rural"
    assert shipped().profile_for("Somebody else", None).key == "default"
    assert shipped().profile_for(None).key == "default"


def test_a_profile_that_the_file_lost_is_the_default_one() -> None:
    assert shipped().named("example_rural").key == "example_rural"
    assert shipped().named("gone").key == shipped().named(None).key == "default"


def test_what_a_profile_leaves_out_is_the_defaults() -> None:
    rural = shipped().profiles["example_rural"]
    assert (rural.nudge_bd, rural.link_days) == (5, shipped().default.link_days)


def test_another_country_does_not_inherit_names_of_holidays() -> None:
    text = TEXT.replace("working_holidays = []", 'working_holidays = ["Columbus Day"]', 1)
    found = parse_carriers(text)
    assert found.default.working_holidays == ("Columbus Day",)
    assert found.profiles["example_canadian"].working_holidays == ("Family Day",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x =", "not TOML"),
        ("profiles = 3", "profiles.default: missing"),
        ("[profiles.mine]\nlabel = 'x'", "profiles.default: missing"),
        (TEXT + "\n[other]\nx = 1", "other: only"),
        ("profiles.mine = 3\n" + TEXT, "profiles.mine: this is a table"),
        (added('time_zone = "Mars/Olympus"'), "profiles.mine.time_zone: .*no time zone"),
        (added('country = "XX"'), 'country: no holidays are known of "XX"'),
        (added('subdivision = "XX"'), 'US has no "XX"'),
        (added('holidays_after = ["Thanksgivings"]'), "no public holiday there; known are"),
        (added('working_holidays = ["Xmas"]'), 'working_holidays: "Xmas"'),
        (added('yearly_holidays = ["24-12"]'), "write MM-DD"),
        (added("signature_reminders_bd = [3, 1]"), "days that grow"),
        (added("simple_port_bd = [5, 1]"), "shorter number of days first"),
        (added("cutoff = 07:00:00"), "cutoff is later than opens"),
        (added("lead_days = 40"), "max_days_ahead is at least"),
        (added("nudge_bd = 9"), "escalate_bd is at least"),
        (added("link_day = 3"), "profiles.mine.link_day: Extra inputs"),
        (added("link_days = 0"), "profiles.mine.link_days"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_where_it_is_wrong_and_how_to_write_it(text: str, said: str) -> None:
    with pytest.raises(InvalidCarriers, match=said):
        parse_carriers(text)
