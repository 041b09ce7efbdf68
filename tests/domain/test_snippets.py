"""Configurations to paste: complete, without a password, and of one line where a line is a setting."""

from __future__ import annotations

from configparser import RawConfigParser
from typing import Any
from xml.etree import ElementTree

import pytest

from domain.codecs import Codec
from domain.snippet_values import PASSWORD
from domain.snippets import SnippetSystem, SnippetValues, snippet, values_of
from sip.transports import Transport

each_system = pytest.mark.parametrize("system", SnippetSystem)


def values(**changes: Any) -> SnippetValues:
    return values_of(
        **{
            "trunk_name": "Acme Carrier — US East",
            "sip_server": "us1.example.com",
            "port": 5061,
            "transport": Transport.TLS,
            "addresses": ("192.0.2.10", "192.0.2.0/28", "2001:db8::1"),
            "codecs": (Codec.PCMU, Codec.PCMA, Codec.OPUS),
            "secure_media": True,
            "numbers": ("+14155550100", "+14155550101"),
            **changes,
        }
    )


@each_system
def test_server_and_addresses_stand_in_every_snippet(system: SnippetSystem) -> None:
    text = snippet(system, values()).text
    assert "us1.example.com" in text
    assert "5061" in text
    assert "192.0.2.10" in text
    assert "2001:db8::1" in text


@each_system
def test_an_account_has_a_place_for_its_password_and_only_a_place(system: SnippetSystem) -> None:
    with_account = snippet(system, values(username="acme-1", registers=True)).text
    if system is not SnippetSystem.KAMAILIO:
        assert "acme-1" in with_account
        assert PASSWORD in with_account or "SHOWN WHEN" in with_account
    assert "SHOWN WHEN" not in snippet(system, values()).text


@each_system
def test_encryption_of_media_is_asked_for_only_where_the_trunk_has_it(
    system: SnippetSystem,
) -> None:
    if system is SnippetSystem.KAMAILIO:
        return  # a dispatcher list says nothing of media
    secured, plain = (
        snippet(system, values()).text,
        snippet(system, values(secure_media=False)).text,
    )
    assert secured != plain


@each_system
def test_a_name_becomes_an_identifier(system: SnippetSystem) -> None:
    text = snippet(system, values()).text
    assert "trunkline-acme-carrier-us-east" in text
    assert "—" not in text
    assert "trunkline" in snippet(system, values(trunk_name="電話")).text


@each_system
def test_a_user_name_cannot_add_a_line(system: SnippetSystem) -> None:
    harmless = snippet(system, values(username="acmepermit=0.0.0.0/0", registers=True)).text
    hostile = snippet(system, values(username="acme\npermit=0.0.0.0/0", registers=True)).text
    assert hostile == harmless


def test_asterisk_reads_the_sections() -> None:
    text = snippet(SnippetSystem.ASTERISK, values(username="acme-1", registers=True)).text
    parser = RawConfigParser(strict=False, interpolation=None, comment_prefixes=(";",))
    parser.read_string(text)
    (name,) = parser.sections()
    section = parser[name]
    assert section["allow"] == "ulaw,alaw,opus"
    assert section["media_encryption"] == "sdes"
    assert section["username"] == "acme-1"
    assert section["max_contacts"] == "1"


def test_asterisk_knows_us_by_address_when_nobody_registers() -> None:
    text = snippet(SnippetSystem.ASTERISK, values()).text
    assert "type=identify" in text
    assert [line for line in text.splitlines() if line.startswith("match=")] == [
        "match=192.0.2.10",
        "match=192.0.2.0/28",
        "match=2001:db8::1",
    ]
    assert "contact=sip:us1.example.com:5061;transport=tls" in text


def test_freeswitch_parses_as_xml_and_escapes_what_it_is_given() -> None:
    text = snippet(SnippetSystem.FREESWITCH, values(username='a"<b>&c', registers=True)).text
    gateway, _, acl = text.partition("<!--")
    params = {
        each.get("name"): each.get("value")
        for each in ElementTree.fromstring(gateway).iter("param")
    }
    assert params["username"] == 'a"<b>&c'
    assert params["proxy"] == "us1.example.com:5061"
    nodes = ElementTree.fromstring(acl.partition("-->")[2]).findall("node")
    assert [node.get("cidr") for node in nodes] == [
        "192.0.2.10/32",
        "192.0.2.0/28",
        "2001:db8::1/128",
    ]


def test_the_transport_of_the_region_is_used() -> None:
    udp = values(transport=Transport.UDP, port=5060)
    assert "transport=udp" in snippet(SnippetSystem.KAMAILIO, udp).text
    assert "session transport udp" in snippet(SnippetSystem.CISCO_CUBE, udp).text
    assert "session transport tcp tls" in snippet(SnippetSystem.CISCO_CUBE, values()).text
