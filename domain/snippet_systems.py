"""Snippets for open-source systems: Asterisk, FreePBX, FreeSWITCH, Kamailio.

Option names are those of the systems' own documentation: res_pjsip, mod_sofia gateways, the
dispatcher module.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from domain.codecs import Codec
from domain.snippet_values import PASSWORD, SnippetValues

__all__ = ["asterisk", "freepbx", "freeswitch", "kamailio"]

_ASTERISK_CODECS: Final = {
    Codec.PCMU: "ulaw",
    Codec.PCMA: "alaw",
    Codec.G729: "g729",
    Codec.OPUS: "opus",
    Codec.G722: "g722",
}
_FREESWITCH_CODECS: Final = {
    Codec.PCMU: "PCMU",
    Codec.PCMA: "PCMA",
    Codec.G729: "G729",
    Codec.OPUS: "OPUS",
    Codec.G722: "G722",
}


def asterisk(values: SnippetValues) -> str:
    """Sections of ``pjsip.conf``: endpoint, AOR, and identify or auth."""
    name = values.name
    lines = [
        f"[{name}]",
        "type=endpoint",
        f"transport=transport-{values.transport}",
        "context=from-trunkline",
        "disallow=all",
        f"allow={','.join(_ASTERISK_CODECS[codec] for codec in values.codecs)}",
        "dtmf_mode=rfc4733",
        "direct_media=no",
        f"media_encryption={'sdes' if values.secure_media else 'no'}",
        f"aors={name}",
    ]
    if values.username is not None:
        lines.append(f"auth={name}")
        if not values.registers:
            lines.append("; our calls are challenged with this account")
    lines += ["", f"[{name}]", "type=aor"]
    lines += ["max_contacts=1", "remove_existing=yes"] if values.registers else []
    lines += [f"contact={values.uri}"] if not values.registers else []
    lines.append("qualify_frequency=60")
    if values.username is not None:
        lines += [
            "",
            f"[{name}]",
            "type=auth",
            "auth_type=userpass",
            f"username={values.username}",
            f"password={PASSWORD}",
        ]
    if not values.registers:
        lines += ["", f"[{name}]", "type=identify", f"endpoint={name}"]
        lines += [f"match={address}" for address in values.addresses]
    return "\n".join([*lines, ""])


def freepbx(values: SnippetValues) -> str:
    """The fields of the trunk form."""
    authentication = "Inbound" if values.username is not None else "None"
    fields = [
        ("Trunk Name", values.name),
        ("pjsip Settings, General: Authentication", authentication),
        ("Registration", "Receive" if values.registers else "None"),
    ]
    if values.username is not None:
        fields += [("Username", values.username), ("Secret", PASSWORD)]
    fields += [
        ("SIP Server", values.sip_server),
        ("SIP Server Port", str(values.port)),
        ("Context", "from-pstn"),
        ("Transport", f"0.0.0.0-{values.transport}"),
        ("Advanced: DTMF Mode", "RFC 4733"),
        ("Advanced: Qualify Frequency", "60"),
        ("Advanced: Match (Permit)", ",".join(values.addresses)),
        ("Advanced: Media Encryption", "SRTP via in-SDP" if values.secure_media else "None"),
        ("Codecs", ", ".join(_ASTERISK_CODECS[codec] for codec in values.codecs)),
    ]
    return "".join(f"{name}: {value}\n" for name, value in fields)


def freeswitch(values: SnippetValues) -> str:
    """A gateway of mod_sofia; XML that is escaped by the library that writes it."""
    include = Element("include")
    gateway = SubElement(include, "gateway", name=values.name)
    parameters = {
        "proxy": f"{values.sip_server}:{values.port}",
        "realm": values.sip_server,
        "username": values.username or values.name,
        "password": PASSWORD if values.username is not None else "not-used",
        "register": "false",
        "register-transport": values.transport.value,
        "contact-params": f"transport={values.transport}",
        "caller-id-in-from": "true",
        "ping": "60",
        "codec-prefs": ",".join(_FREESWITCH_CODECS[codec] for codec in values.codecs),
    }
    for name, value in parameters.items():
        SubElement(gateway, "param", name=name, value=value)
    variables = SubElement(gateway, "variables")
    if values.secure_media:
        SubElement(
            variables,
            "variable",
            name="rtp_secure_media",
            value="mandatory:AES_CM_128_HMAC_SHA1_80",
            direction="outbound",
        )
    indent(include)
    acl = Element("list", name=values.name, default="deny")
    for address in values.addresses:
        SubElement(acl, "node", type="allow", cidr=str(ip_network(address)))
    indent(acl)
    return (
        f"{tostring(include, encoding='unicode')}\n"
        "<!-- acl.conf.xml; name the list in the profile's apply-inbound-acl -->\n"
        f"{tostring(acl, encoding='unicode')}\n"
    )


def kamailio(values: SnippetValues) -> str:
    """One destination of set 1, with the addresses to let in as comments for ``permissions``."""
    lines = [
        f"# {values.name}",
        "# set destination flags priority attributes",
        f"1 {values.uri} 0 0 duid={values.name}",
        "# Addresses of ours for permissions' address table (group, address, mask, port, tag):",
    ]
    for address in values.addresses:
        network = ip_network(address)
        lines.append(f"# 1 {network.network_address} {network.prefixlen} 0 {values.name}")
    return "\n".join([*lines, ""])
