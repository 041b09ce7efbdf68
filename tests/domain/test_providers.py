"""The provider catalogue: complete, usable as it stands, and recognising hosts."""

from __future__ import annotations

import pytest

from domain.destination import parse_destination
from domain.providers import PROVIDERS, Provider, provider_for_host, provider_with_id


def test_the_catalogue_has_the_contracts_providers_in_its_order() -> None:
    assert [provider.name for provider in PROVIDERS] == [
        "Twilio",
        "Vonage",
        "Asterisk / FreePBX",
        "3CX",
        "Cisco UCM / CUBE",
        "RingCentral",
        "Microsoft Teams",
        "Other",
    ]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)
def test_every_entry_says_what_to_enter_and_where_to_find_it(provider: Provider) -> None:
    assert provider_with_id(provider.id) is provider
    for sentence in (provider.enter, provider.where, *provider.notes):
        assert sentence.endswith(".")
    assert provider.destination_label
    if provider.example is not None:
        example = parse_destination(provider.example)
        assert example.valid
        assert example.parsed is not None
        suffixed = provider_for_host(example.parsed.host)
        assert suffixed in (provider, None)


def test_teams_is_listed_as_not_directly_possible_and_says_why() -> None:
    teams = provider_with_id("teams")

    assert teams is not None
    assert not teams.supported
    assert "certified SBC" in teams.notes[0]
    assert all(provider.supported for provider in PROVIDERS if provider is not teams)


@pytest.mark.parametrize(
    ("host", "provider_id"),
    [
        ("acme.pstn.twilio.com", "twilio"),
        ("ACME.sip.twilio.com.", "twilio"),
        ("acme.sip-us.vonage.com", "vonage"),
        ("sip.nexmo.com", "vonage"),
        ("acme.3cx.us", "3cx"),
        ("sip.ringcentral.com", "ringcentral"),
        ("sip.pstnhub.microsoft.com", "teams"),
        ("pbx.example.com", None),
        ("pstn.twilio.com.example.com", None),
        ("notringcentral.com", None),
    ],
)
def test_a_host_is_recognised_as_its_providers(host: str, provider_id: str | None) -> None:
    found = provider_for_host(host)

    assert (found.id if found else None) == provider_id


def test_an_unknown_id_is_nobodys() -> None:
    assert provider_with_id("acme") is None
