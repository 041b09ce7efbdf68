"""By what known SIP systems are recognized: their banners and the shape of their OPTIONS answers.

Banner, fields, their order and their spelling follow what these systems send.
"""

from __future__ import annotations

from lab.behaviour import SystemIdentity

__all__ = [
    "ANONYMOUS",
    "ASTERISK",
    "CISCO_CUBE",
    "FREESWITCH",
    "KAMAILIO",
    "LAB",
    "OPENSIPS",
    "RENAMED_ASTERISK",
    "THREE_CX",
    "TWILIO",
]

_ASTERISK_MEDIA_TYPES = (
    "application/sdp, application/dialog-info+xml, application/simple-message-summary, "
    "application/xpidf+xml, application/cpim-pidf+xml, application/pidf+xml, "
    "message/sipfrag;version=2.0"
)

_ASTERISK_CAPABILITIES = (
    ("Accept", _ASTERISK_MEDIA_TYPES),
    (
        "Allow",
        "OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, "
        "INFO, MESSAGE, REFER",
    ),
    ("Supported", "100rel, timer, replaces, norefersub"),
    ("Accept-Encoding", "identity"),
    ("Accept-Language", "en"),
)

ASTERISK = SystemIdentity(
    banner=(("Server", "Asterisk PBX 20.9.2"),),
    capabilities=_ASTERISK_CAPABILITIES,
    sdp=(
        "v=0\r\n"
        "o=- 1733000000 1733000000 IN IP4 {address}\r\n"
        "s=Asterisk\r\n"
        "c=IN IP4 {address}\r\n"
        "t=0 0\r\n"
        "m=audio 0 RTP/AVP 0 8 9 101\r\n"
        "a=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:9 G722/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\n"
        "a=ptime:20\r\n"
    ),
    tag_shape="xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
)

RENAMED_ASTERISK = SystemIdentity(
    banner=(("Server", "ACME Voice 7"),),
    capabilities=_ASTERISK_CAPABILITIES,
    tag_shape=ASTERISK.tag_shape,
)

FREESWITCH = SystemIdentity(
    # Its responses carry User-Agent, not Server.
    banner=(("User-Agent", "FreeSWITCH-mod_sofia/1.10.7-release~64bit"),),
    capabilities=(
        ("Accept", "application/sdp"),
        (
            "Allow",
            "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY, "
            "PUBLISH, SUBSCRIBE",
        ),
        ("Supported", "timer, path, replaces"),
        (
            "Allow-Events",
            "talk, hold, conference, presence, as-feature-event, dialog, line-seize, call-info, "
            "sla, include-session-description, presence.winfo, message-summary, refer",
        ),
    ),
)

# Kamailio and OpenSIPS share the ancestor of their options_reply: no Allow, and empty fields.
_OPTIONS_REPLY = (
    ("Accept", "*/*"),
    ("Accept-Encoding", ""),
    ("Accept-Language", "en"),
    ("Supported", ""),
)

KAMAILIO = SystemIdentity(
    banner=(("Server", "kamailio (5.7.2 (x86_64/linux))"),),
    capabilities=_OPTIONS_REPLY,
    tag_shape=f"{'x' * 32}-{'x' * 8}",
)

OPENSIPS = SystemIdentity(
    banner=(("Server", "OpenSIPS (3.2.14 (x86_64/linux))"),),
    capabilities=_OPTIONS_REPLY,
    tag_shape=f"{'x' * 32}.{'x' * 4}",
)

THREE_CX = SystemIdentity(
    banner=(("User-Agent", "3CXPhoneSystem 14.0.44198.522 (44097)"),),
    capabilities=(
        (
            "Allow",
            "INVITE, ACK, CANCEL, OPTIONS, BYE, REGISTER, SUBSCRIBE, NOTIFY, REFER, INFO, MESSAGE, "
            "UPDATE",
        ),
        ("Supported", "replaces"),
    ),
    tag_shape="xxxxxxxx",
)

CISCO_CUBE = SystemIdentity(
    banner=(("Server", "Cisco-SIPGateway/IOS-16.6.1"),),
    capabilities=(
        (
            "Allow",
            "INVITE, OPTIONS, BYE, CANCEL, ACK, PRACK, UPDATE, REFER, SUBSCRIBE, NOTIFY, INFO, "
            "REGISTER",
        ),
        ("Allow-Events", "telephone-event"),
        ("Accept", "application/sdp"),
        ("Supported", "100rel,timer,resource-priority,replaces,sdp-anat"),
    ),
    sdp=(
        "v=0\r\n"
        "o=CiscoSystemsSIP-GW-UserAgent 6594 1743 IN IP4 {address}\r\n"
        "s=SIP Call\r\n"
        "c=IN IP4 {address}\r\n"
        "t=0 0\r\n"
        "m=audio 0 RTP/AVP 18 0 8 4 2 15 3\r\n"
        "c=IN IP4 {address}\r\n"
        "m=image 0 udptl t38\r\n"
        "c=IN IP4 {address}\r\n"
        "a=T38FaxVersion:0\r\n"
        "a=T38MaxBitRate:9600\r\n"
        "a=T38FaxRateManagement:transferredTCF\r\n"
        "a=T38FaxMaxBuffer:200\r\n"
        "a=T38FaxMaxDatagram:320\r\n"
        "a=T38FaxUdpEC:t38UDPRedundancy\r\n"
    ),
    tag_shape="XXXXXXXX-XXXX",
)

TWILIO = SystemIdentity(
    banner=(("Server", "Twilio Gateway"),),
    capabilities=(("Allow", "INVITE,ACK,CANCEL,OPTIONS,BYE"),),
)

_ANSWERED = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE"

LAB = SystemIdentity(
    banner=(("Server", "Trunkline lab"),),
    capabilities=(
        ("Allow", _ANSWERED),
        ("Accept", "application/sdp"),
        ("Supported", "100rel, timer"),
    ),
)

ANONYMOUS = SystemIdentity(capabilities=(("Allow", _ANSWERED),))
