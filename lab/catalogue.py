"""The named peers of the lab: systems, networks that fail, TLS that fails, walls.

Those that differ in what they do with a call are in ``lab.call_peers`` and ``lab.media_peers``.
"""

from __future__ import annotations

from datetime import timedelta

from lab.behaviour import (
    Behaviour,
    CertificateKind,
    DigestDemand,
    Manner,
    Port,
    Refusal,
    TlsManner,
    Transport,
)
from lab.call_peers import CALL_PEERS
from lab.catalogue_entry import (
    DEMO_PASSWORD,
    DEMO_REALM,
    DEMO_USERNAME,
    TCP,
    TLS,
    UDP,
    CataloguePeer,
)
from lab.identities import (
    ANONYMOUS,
    ASTERISK,
    CISCO_CUBE,
    FREESWITCH,
    KAMAILIO,
    LAB,
    OPENSIPS,
    RENAMED_ASTERISK,
    THREE_CX,
    TWILIO,
)
from lab.media_peers import MEDIA_PEERS

__all__ = ["CATALOGUE", "DEMO_PASSWORD", "DEMO_USERNAME", "CataloguePeer"]


def _tls_only(manner: TlsManner) -> Behaviour:
    return Behaviour(ports=(Port(Transport.TLS, 5061, tls=manner),), identity=LAB)


def _raw(*ports: tuple[Transport, int], manner: Manner) -> Behaviour:
    return Behaviour(ports=tuple(Port(*port, manner) for port in ports), identity=ANONYMOUS)


CATALOGUE: tuple[CataloguePeer, ...] = (
    CataloguePeer(
        "asterisk",
        1,
        "An Asterisk PBX on UDP and TCP that lists PCMU, PCMA and G722.",
        Behaviour(ports=(UDP, TCP), identity=ASTERISK),
    ),
    CataloguePeer(
        "freeswitch",
        2,
        "A FreeSWITCH on UDP and TCP, and on 5080 as its external profile.",
        Behaviour(
            ports=(UDP, TCP, Port(Transport.UDP, 5080), Port(Transport.TCP, 5080)),
            identity=FREESWITCH,
        ),
    ),
    CataloguePeer(
        "kamailio",
        3,
        "A Kamailio on UDP, TCP and TLS; answers 404 when the Request-URI has a user.",
        Behaviour(ports=(UDP, TCP, TLS), identity=KAMAILIO, found_only_without_user=True),
    ),
    CataloguePeer(
        "opensips",
        4,
        "An OpenSIPS on UDP and TCP; answers 404 when the Request-URI has a user.",
        Behaviour(ports=(UDP, TCP), identity=OPENSIPS, found_only_without_user=True),
    ),
    CataloguePeer(
        "3cx",
        5,
        "A 3CX Phone System on UDP, TCP and TLS.",
        Behaviour(ports=(UDP, TCP, TLS), identity=THREE_CX),
    ),
    CataloguePeer(
        "cisco",
        6,
        "A Cisco CUBE on UDP and TCP that puts its codecs into the answer.",
        Behaviour(ports=(UDP, TCP), identity=CISCO_CUBE),
    ),
    CataloguePeer(
        "twilio",
        7,
        "A gateway with Twilio's banner on UDP, TCP and TLS.",
        Behaviour(ports=(UDP, TCP, TLS), identity=TWILIO),
    ),
    CataloguePeer(
        "shy",
        8,
        "A SIP server that names itself nowhere.",
        Behaviour(ports=(UDP, TCP), identity=ANONYMOUS),
    ),
    CataloguePeer(
        "renamed",
        9,
        "An Asterisk whose administrator changed the banner.",
        Behaviour(ports=(UDP, TCP), identity=RENAMED_ASTERISK),
    ),
    CataloguePeer(
        "silent",
        10,
        "Takes datagrams, connections and TLS handshakes and answers none of them.",
        _raw(
            (Transport.UDP, 5060),
            (Transport.TCP, 5060),
            (Transport.TCP, 5061),
            manner=Manner.MUTE,
        ),
    ),
    CataloguePeer(
        "refusing",
        11,
        "An address where nothing listens: UDP and TCP are refused at once.",
        Behaviour(ports=(), identity=ANONYMOUS),
    ),
    CataloguePeer(
        "filtered",
        12,
        "A host behind a firewall that drops: connecting gets no answer.",
        Behaviour(
            ports=(
                Port(Transport.UDP, 5060, Manner.MUTE),
                Port(Transport.UDP, 5080, Manner.MUTE),
                Port(Transport.TCP, 5060, Manner.FILTERED),
                Port(Transport.TCP, 5061, Manner.FILTERED),
                Port(Transport.TCP, 5080, Manner.FILTERED),
            ),
            identity=ANONYMOUS,
        ),
    ),
    CataloguePeer(
        "slow",
        13,
        "Answers OPTIONS, and rings, after 1.5 seconds.",
        Behaviour(ports=(UDP, TCP), identity=LAB, delay=timedelta(seconds=1.5)),
    ),
    CataloguePeer(
        "stuck",
        29,
        "Answers OPTIONS and INVITE with 100 and nothing more.",
        Behaviour(ports=(UDP, TCP), identity=LAB, never_finishes=True),
    ),
    CataloguePeer(
        "hanging-up",
        14,
        "Accepts TCP connections and closes each at its first bytes, as an allow-list does.",
        _raw((Transport.TCP, 5060), manner=Manner.HANGS_UP),
    ),
    CataloguePeer(
        "garbage",
        15,
        "Talks, but not SIP: random bytes over UDP and TLS, HTTP over TCP.",
        _raw(
            (Transport.UDP, 5060),
            (Transport.TCP, 5060),
            (Transport.TLS, 5061),
            manner=Manner.GARBAGE,
        ),
    ),
    CataloguePeer(
        "other-address",
        16,
        "Answers UDP from the neighbouring address, as a host with several may.",
        Behaviour(ports=(UDP,), identity=LAB, answers_from_neighbour=True),
    ),
    CataloguePeer(
        "alternate-port",
        18,
        "Listens on 5080 alone, UDP and TCP.",
        Behaviour(
            ports=(Port(Transport.UDP, 5080), Port(Transport.TCP, 5080)),
            identity=LAB,
        ),
    ),
    CataloguePeer(
        "tls-only",
        19,
        "Listens for TLS alone, with a good certificate.",
        _tls_only(TlsManner()),
    ),
    CataloguePeer(
        "expired-certificate",
        20,
        "TLS with a certificate that has expired.",
        _tls_only(TlsManner(certificate=CertificateKind.EXPIRED)),
    ),
    CataloguePeer(
        "wrong-name",
        21,
        "TLS with a certificate that names somebody else.",
        _tls_only(TlsManner(certificate=CertificateKind.OTHER_NAME)),
    ),
    CataloguePeer(
        "self-signed",
        22,
        "TLS with a certificate that no authority signed.",
        _tls_only(TlsManner(certificate=CertificateKind.SELF_SIGNED)),
    ),
    CataloguePeer(
        "old-tls",
        23,
        "Speaks TLS 1.0 and 1.1 and nothing newer.",
        _tls_only(TlsManner(old_only=True)),
    ),
    CataloguePeer(
        "client-certificate",
        24,
        "TLS that demands a certificate of the lab's authority from the client.",
        _tls_only(TlsManner(client_certificate=True)),
    ),
    CataloguePeer(
        "not-tls",
        25,
        "SIP over UDP and TCP, and a web server on the port where TLS is expected.",
        Behaviour(ports=(UDP, TCP, Port(Transport.TCP, 5061, Manner.GARBAGE)), identity=LAB),
    ),
    CataloguePeer(
        "challenge",
        26,
        "Answers OPTIONS and INVITE with 401 until the demo account's digest comes along.",
        Behaviour(
            ports=(UDP, TCP),
            identity=ASTERISK,
            digest=DigestDemand(realm=DEMO_REALM, username=DEMO_USERNAME, password=DEMO_PASSWORD),
        ),
    ),
    CataloguePeer(
        "forbidden",
        27,
        "Answers every request with 403, as an allow-list does.",
        Behaviour(ports=(UDP, TCP), identity=LAB, refusal=Refusal(403)),
    ),
    CataloguePeer(
        "maintenance",
        28,
        "Answers every request with 503 and Retry-After: 120.",
        Behaviour(ports=(UDP, TCP), identity=LAB, refusal=Refusal(503, (("Retry-After", "120"),))),
    ),
    *CALL_PEERS,
    *MEDIA_PEERS,
)
