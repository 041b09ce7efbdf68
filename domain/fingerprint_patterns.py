"""Signs by which SIP systems are told apart, as data.

Banners, tags and header orders are those that the products send in the field. The expressions are
anchored and without nested repetition, so that matching a bounded value is linear in its length.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from domain.fingerprint_systems import Signal, System

__all__ = [
    "ACCEPTED_TYPES",
    "BANNERS",
    "HEADER_SIGNS",
    "METHOD_ORDERS",
    "OPTION_TAGS",
    "PROVIDER_DOMAINS",
    "PROVIDER_NETWORKS",
    "SUPPORTED_ORDERS",
    "TAG_SHAPES",
    "WARNING_SIGNS",
    "Banner",
    "TagShape",
]


# Banners seen too rarely, or worn by too many, to be trusted like the others.
UNSURE = 0.7


@dataclass(frozen=True, slots=True)
class Banner:
    """A form of Server or User-Agent. Groups: ``v`` version, ``m`` model, ``on`` what it runs on.

    ``product`` may name ``{m}``; without it the system's own name is the product.
    """

    system: System
    expression: str
    product: str | None = None
    weight: float = Signal.BANNER.weight
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(self.expression, re.IGNORECASE))


# The first that matches decides, so the more specific stands first.
BANNERS = (
    Banner(System.ASTERISK, r"FPBX-(?P<v>[\d.]+)\((?P<on>[\d.]+)\)", "FreePBX"),
    Banner(System.ASTERISK, r"-(?P<v>\d[\d.]*)\((?P<on>\d[\d.]*)\)$", "FreePBX", UNSURE),
    Banner(System.ASTERISK, r"Asterisk PBX \(digium\)", "Switchvox"),
    Banner(System.ASTERISK, r"Asterisk PBX(?: (?P<v>\S+))?"),
    Banner(System.FREESWITCH, r"FreeSWITCH(?:-mod_sofia)?(?:/(?P<v>\S+))?(?:\s|$)"),
    Banner(System.KAMAILIO, r"kamailio \((?P<v>[^\s()]+)(?: \([^()]*\))?\)"),
    Banner(System.OPENSIPS, r"OpenSIPS \((?P<v>[^\s()]+)(?: \([^()]*\))?\)"),
    Banner(System.SER, r"(?:Sip EXpress router|OpenSER|SIP Router) ?\((?P<v>[^\s()]+)?"),
    Banner(System.SIPWISE, r"Sipwise NGCP (?P<m>\w+) (?P<v>\S+)", "Sipwise NGCP {m}"),
    Banner(System.THREECX, r"3CX ?Phone ?System(?: (?P<v>[\d.]+))?(?:\s|$)"),
    Banner(System.THREECX_PHONE, r"3CX ?Phone(?: (?P<v>[\d.]+))?(?:\s|$)"),
    Banner(System.CISCO_CUBE, r"Cisco-SIPGateway/IOS-(?P<v>\S+)", "Cisco CUBE or IOS gateway"),
    Banner(System.CISCO_UCM, r"Cisco-CUCM(?P<v>[\d.]+)?"),
    Banner(System.CISCO_EXPRESSWAY, r"TANDBERG/\d+ \((?P<v>[^\s()]+)?", "Cisco Expressway or VCS"),
    Banner(System.CISCO_PHONE, r"Cisco-CP(?P<m>[\w-]+)(?:/(?P<v>\S+))?", "Cisco {m}"),
    Banner(System.AVAYA_SM, r"AVAYA-SM-(?P<v>[\d.]+)"),
    Banner(System.AVAYA_CM, r"Avaya CM/(?P<v>\S+)"),
    Banner(System.AVAYA_SES, r"Avaya SIP Enablement Services"),
    Banner(
        System.AUDIOCODES,
        r"(?:Audiocodes-Sip-Gateway-)?(?P<m>(?:Mediant|MP-)[^/]*)/v\.?(?P<v>\S+)",
        "AudioCodes {m}",
    ),
    Banner(System.TEAMS, r"Microsoft\.PSTNHub\.SIPProxy v\.(?P<v>\S+)", "Teams Direct Routing"),
    Banner(System.LYNC, r"RTC/4\.0", "Lync Server 2010"),
    Banner(System.LYNC, r"RTC/5\.0", "Lync Server 2013"),
    Banner(System.LYNC, r"RTC/6\.0", "Skype for Business Server 2015 or newer"),
    Banner(System.TWILIO, r"Twilio Gateway$"),
    Banner(System.LIVEKIT, r"LiveKit\b"),
    Banner(System.JAMBONZ, r"Jambonz (?P<v>\S+)"),
    Banner(System.YEASTAR, r"Yeastar (?P<m>\w+)(?:-(?P<v>[\d.]+))?$", "Yeastar {m}", UNSURE),
    Banner(
        System.GRANDSTREAM_UCM,
        r"Grandstream (?P<m>UCM\S+)(?:\s+(?P<v>\S+))?",
        "Grandstream {m}",
        UNSURE,
    ),
    Banner(
        System.GRANDSTREAM_PHONE,
        r"Grandstream (?P<m>\S+)(?:\s+(?P<v>\S+))?",
        "Grandstream {m}",
        UNSURE,
    ),
    Banner(System.MITEL, r"Mitel-(?P<m>\d+)-ICP(?:[ -](?P<v>\S+))?", "Mitel {m} ICP"),
    Banner(System.SIPPY, r"Sippy Softswitch v(?P<v>\S+)"),
    Banner(System.NETSAPIENS, r"NetSapiens SiPBx(?: (?P<v>\S+))?"),
    Banner(System.STARFACE, r"STARFACE PBX(?: (?P<v>\S+))?"),
    Banner(System.INGATE, r"SIParator/(?P<v>\S+)"),
    Banner(System.HIPATH, r"HiPath (?P<m>\S+)(?: (?P<v>\S+))?", "HiPath {m}"),
    Banner(System.NEC, r"NEC-i (?P<m>\S+)", "NEC {m}"),
    Banner(System.PATTON, r"Patton (?P<m>\S+)(?: (?P<v>\S+))?", "Patton {m}"),
    Banner(System.COMMUNIGATE, r"CommuniGatePro/(?P<v>\S+)"),
    Banner(System.SIPXECS, r"sipXecs/(?P<v>\S+)"),
    Banner(System.EPYGI, r"Epygi Quadro\b"),
    Banner(System.FRITZBOX, r"(?:FRITZ!OS|AVM FRITZ!Box)(?: (?P<m>[^\s/]+))?"),
    Banner(System.POLYCOM_PHONE, r"Polycom\S*-(?P<m>[A-Z]+_[A-Z\d]+)-UA/(?P<v>\S+)", "Polycom {m}"),
    Banner(System.POLYCOM_PHONE, r"Polycom/(?P<v>\S+)"),
    Banner(System.YEALINK_PHONE, r"Yealink (?P<m>\S+) (?P<v>\S+)", "Yealink {m}"),
    Banner(System.SNOM_PHONE, r"snom(?P<m>[A-Z]?\d+)/(?P<v>\S+)", "Snom {m}"),
    Banner(System.OBIHAI_ATA, r"OBIHAI/(?P<m>OBi\w+)-(?P<v>[\d.]+)", "Obihai {m}"),
    # Not at the beginning: the brand stands anywhere in a configurable banner.
    Banner(System.RIBBON, r".*\b(?:Sonus|Ribbon)\b", None, UNSURE),
)

# Header name in lower case, expression its value must match, and the systems that send it.
HEADER_SIGNS: tuple[tuple[str, re.Pattern[str], tuple[System, ...]], ...] = tuple(
    (name, re.compile(expression, re.IGNORECASE), systems)
    for name, expression, systems in (
        ("x-twilio-error", r"", (System.TWILIO,)),
        ("x-twilio-callsid", r"", (System.TWILIO,)),
        ("ms-diagnostics", r"", (System.LYNC,)),
        ("ms-diagnostics-public", r"", (System.LYNC,)),
        ("x-fs-support", r"", (System.FREESWITCH,)),
        ("cisco-guid", r"", (System.CISCO_CUBE,)),
        ("call-info", r"<urn:x-cisco-remotecc:", (System.CISCO_UCM,)),
    )
)

# Option tags in Supported that only one vendor uses, in lower case.
OPTION_TAGS = {"x-cisco-srtp-fallback": (System.CISCO_UCM, System.CISCO_CUBE)}

# Text of a Warning header.
WARNING_SIGNS = (
    (re.compile(r".*unable to find a device handler", re.IGNORECASE), System.CISCO_UCM),
)

# Registered domains, or the label before any top level where the provider uses several.
PROVIDER_DOMAINS = (
    (re.compile(r"(?:.*\.)?(?:pstn|sip)(?:\.[a-z0-9-]+)?\.twilio\.com"), System.TWILIO),
    (re.compile(r"(?:.*\.)?telnyx\.(?:com|eu)"), System.TELNYX),
    (re.compile(r"(?:.*\.)?(?:nexmo|vonage)\.com"), System.VONAGE),
    (re.compile(r"(?:.*\.)?ringcentral\.(?:com|co\.uk|eu)"), System.RINGCENTRAL),
    (re.compile(r"(?:.*\.)?pstnhub\.microsoft\.com"), System.TEAMS),
    (re.compile(r"(?:.*\.)?sip\.livekit\.cloud"), System.LIVEKIT),
    (re.compile(r".*\.(?:my)?3cx\.[a-z]{2,3}(?:\.[a-z]{2})?"), System.THREECX),
)

# Published signalling addresses.
PROVIDER_NETWORKS = tuple(
    (ipaddress.ip_network(text), system)
    for text, system in (
        ("192.76.120.10", System.TELNYX),
        ("64.16.250.10", System.TELNYX),
        ("54.172.60.0/30", System.TWILIO),
        ("54.244.51.0/30", System.TWILIO),
        ("54.171.127.192/30", System.TWILIO),
        ("35.156.191.128/30", System.TWILIO),
        ("54.252.254.64/30", System.TWILIO),
    )
)

# Beginning of the Allow header, methods in the order the stack registers them.
METHOD_ORDERS = (
    ("OPTIONS REGISTER SUBSCRIBE NOTIFY PUBLISH INVITE ACK BYE CANCEL UPDATE", System.ASTERISK),
    ("INVITE ACK CANCEL OPTIONS BYE REFER SUBSCRIBE NOTIFY INFO PUBLISH", System.ASTERISK),
    ("INVITE ACK BYE CANCEL OPTIONS MESSAGE INFO UPDATE", System.FREESWITCH),
    ("INVITE OPTIONS INFO BYE CANCEL ACK PRACK UPDATE REFER SUBSCRIBE NOTIFY", System.CISCO_UCM),
    (
        "INVITE OPTIONS BYE CANCEL ACK PRACK UPDATE REFER SUBSCRIBE NOTIFY INFO REGISTER",
        System.CISCO_CUBE,
    ),
    ("INVITE ACK OPTIONS CANCEL BYE NOTIFY", System.TEAMS),
)

# The whole Supported header.
SUPPORTED_ORDERS = (
    ("100rel timer replaces norefersub", System.ASTERISK),
    ("100rel timer replaces norefersub histinfo", System.ASTERISK),
    ("timer path replaces", System.FREESWITCH),
    ("timer precondition path replaces", System.FREESWITCH),
)

# Media types in Accept that one system lists together, whatever their order.
ACCEPTED_TYPES = (
    frozenset(
        {
            "application/dialog-info+xml",
            "application/pidf+xml",
            "application/simple-message-summary",
            "message/sipfrag",
        }
    ),
    System.ASTERISK,
)


@dataclass(frozen=True, slots=True)
class TagShape:
    """Shape of a To-tag; ``status`` narrows it to a reply without a banner."""

    pattern: re.Pattern[str]
    systems: tuple[System, ...]
    status: int | None = None


TAG_SHAPES = (
    TagShape(re.compile(r"as[0-9a-f]{8}"), (System.ASTERISK,)),
    TagShape(
        re.compile(r"[0-9a-f]{32}[.-][0-9a-f]{4,8}"),
        (System.KAMAILIO, System.OPENSIPS),
    ),
    TagShape(re.compile(r"Mitel-.{1,64}"), (System.MITEL,)),
    TagShape(re.compile(r"[0-9]{1,10}~[0-9a-f-]{36}-[0-9]{1,10}"), (System.CISCO_UCM,)),
    TagShape(re.compile(r"[0-9A-F]{6,8}-[0-9A-F]{3,4}"), (System.CISCO_CUBE,)),
    TagShape(re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{8}"), (System.CISCO_UCM,), status=404),
    TagShape(re.compile(r"[0-9A-Za-z]{16}"), (System.AVAYA_SBCE,), status=403),
)
