"""Which system answers at an endpoint, judged by several signs, with the evidence.

Every sign has a weight; signs of different kinds that agree add up as independent
witnesses, signs that disagree are both reported. Response time is never a sign. A hidden banner is
normal, so "unknown" is an answer.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from domain.fingerprint_patterns import (
    ACCEPTED_TYPES,
    BANNERS,
    HEADER_SIGNS,
    METHOD_ORDERS,
    OPTION_TAGS,
    PROVIDER_DOMAINS,
    PROVIDER_NETWORKS,
    SUPPORTED_ORDERS,
    TAG_SHAPES,
    WARNING_SIGNS,
)
from domain.fingerprint_systems import Role, Signal, System
from domain.observation import Observation, observation_of

__all__ = ["UNKNOWN_SYSTEM", "Fingerprint", "Observation", "identify", "observation_of"]

UNKNOWN_SYSTEM = "Unknown, SIP-compliant"

# Below this a single weak sign (an order of methods, a tag) would name a system by chance.
LEAST_CONFIDENCE = 0.4
# From here on a second system is worth a mention.
LEAST_MENTION = 0.3
MOST_CONFIDENCE = 0.99
MAX_VALUE = 256  # characters of a value that are looked at
MAX_NAMES = 64  # names of a certificate that are looked at


class Fingerprint(BaseModel):
    """The system that most probably answers, or UNKNOWN_SYSTEM with confidence 0."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: str
    product: str | None = None
    version: str | None = None
    confidence: float = Field(ge=0, le=1)
    evidence: tuple[str, ...] = ()
    others: tuple[str, ...] = Field(default=(), description="What else the signs speak for.")

    @property
    def known(self) -> bool:
        return self.system != UNKNOWN_SYSTEM


@dataclass(frozen=True, slots=True)
class _Find:
    """One sign that was found."""

    systems: tuple[System, ...]
    signal: Signal
    weight: float
    text: str
    product: str | None = None
    version: str | None = None


def identify(observation: Observation) -> Fingerprint:
    """The most probable system behind an observation. Never raises for what a peer sent."""
    finds = list(_finds(observation))
    scores = _scores(finds)
    banner = (observation.server or observation.user_agent or "").strip()[:MAX_VALUE] or None
    if not scores or max(scores.values()) < LEAST_CONFIDENCE:
        return Fingerprint(
            system=UNKNOWN_SYSTEM,
            product=banner,
            confidence=0.0,
            evidence=tuple(find.text for find in finds),
            others=tuple(
                f"Possibly {system}" for system, score in scores.items() if score >= LEAST_MENTION
            ),
        )
    everything, scores = scores, _without_phones(scores)
    best = max(scores.values())
    leaders = [system for system, score in scores.items() if math.isclose(score, best)]
    leader = next(s for find in finds for s in find.systems if s in leaders)
    named = next((f for f in finds if leader in f.systems and f.signal is Signal.BANNER), None)
    tied = [system for system in leaders if _same_signs(system, leader, finds)]
    rest = [s for s, score in everything.items() if s not in tied and score >= LEAST_MENTION]
    return Fingerprint(
        system=" or ".join(tied),
        product=named.product if named else None,
        version=named.version if named else None,
        confidence=round(min(best, MOST_CONFIDENCE), 2),
        evidence=tuple(find.text for find in finds),
        others=tuple(_beside(leader, other) for other in rest),
    )


def _scores(finds: list[_Find]) -> dict[System, float]:
    """Probability of each system, best first; equal ones in the order of their finds."""
    strongest: dict[System, dict[Signal, float]] = {}
    for find in finds:
        for system in find.systems:
            signals = strongest.setdefault(system, {})
            signals[find.signal] = max(find.weight, signals.get(find.signal, 0.0))
    scores = {
        system: 1 - math.prod(1 - weight for weight in signals.values())
        for system, signals in strongest.items()
    }
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def _without_phones(scores: dict[System, float]) -> dict[System, float]:
    """A phone's banner passes through proxies: it leads only when nothing else is plausible."""
    others = {system: score for system, score in scores.items() if system.role is not Role.PHONE}
    return others if max(others.values(), default=0.0) >= LEAST_CONFIDENCE else scores


def _same_signs(one: System, other: System, finds: list[_Find]) -> bool:
    """Whether nothing tells the two apart."""
    return all((one in find.systems) == (other in find.systems) for find in finds)


def _beside(leader: System, other: System) -> str:
    if leader.role == other.role:
        return f"Possibly {other}"
    front, behind = sorted((leader, other), key=lambda system: system.role)
    front_name = f"{front} (SBC)" if front.role is Role.SBC and "SBC" not in front else front
    return f"{front_name} in front of {behind}"


def _finds(observation: Observation) -> Iterator[_Find]:
    yield from _banner("Server", observation.server)
    yield from _banner("User-Agent", observation.user_agent)
    yield from _vendor_headers(observation)
    yield from _provider(observation)
    yield from _certificate(observation)
    yield from _orders(observation)
    yield from _to_tag(observation)


def _banner(header: str, value: str | None) -> Iterator[_Find]:
    text = (value or "").strip()[:MAX_VALUE]
    for banner in BANNERS:
        match = banner.pattern.match(text)
        if match is None:
            continue
        groups = match.groupdict()
        product = banner.product or banner.system.value
        if groups.get("m"):
            product = product.replace("{m}", groups["m"])
        else:
            product = product.replace(" {m}", "")
        on = f", which runs on {banner.system} {groups['on']}" if groups.get("on") else ""
        yield _Find(
            (banner.system,),
            Signal.BANNER,
            banner.weight,
            f'{header} is "{text}"{on}.',
            product,
            groups.get("v"),
        )
        return


def _vendor_headers(observation: Observation) -> Iterator[_Find]:
    for name, pattern, systems in HEADER_SIGNS:
        value = observation.headers.get(name)
        if value is not None and pattern.match(value[:MAX_VALUE]):
            yield _Find(
                systems,
                Signal.VENDOR_HEADER,
                Signal.VENDOR_HEADER.weight,
                f"The reply has the header {name} of {' and '.join(systems)}.",
            )
    for tag in observation.supported:
        owners = OPTION_TAGS.get(tag.lower())
        if owners:
            yield _Find(
                owners,
                Signal.VENDOR_HEADER,
                Signal.VENDOR_HEADER.weight,
                f"Supported has {tag}, which only {' and '.join(owners)} send.",
            )
    for pattern, system in WARNING_SIGNS:
        if observation.warning and pattern.match(observation.warning[:MAX_VALUE]):
            yield _Find(
                (system,),
                Signal.VENDOR_HEADER,
                Signal.VENDOR_HEADER.weight,
                f"The Warning is one of {system}: {observation.warning[:MAX_VALUE]}",
            )


def _provider(observation: Observation) -> Iterator[_Find]:
    host = (observation.host or "")[:MAX_VALUE].lower()
    for pattern, system in PROVIDER_DOMAINS:
        if pattern.fullmatch(host):
            text = f"{host} is a name of {system}."
            yield _Find((system,), Signal.PROVIDER, Signal.PROVIDER.weight, text)
    try:
        address = ipaddress.ip_address(observation.address or "")
    except ValueError:
        return
    for network, system in PROVIDER_NETWORKS:
        if address in network:
            text = f"{address} is an address of {system}."
            yield _Find((system,), Signal.PROVIDER, Signal.PROVIDER.weight, text)


def _certificate(observation: Observation) -> Iterator[_Find]:
    named = dict.fromkeys((*_common_names(observation.tls_subject), *observation.tls_names))
    for name in list(named)[:MAX_NAMES]:
        bare = name[:MAX_VALUE].lower().removeprefix("*.")
        for pattern, system in PROVIDER_DOMAINS:
            if pattern.fullmatch(bare):
                yield _Find(
                    (system,),
                    Signal.TLS_CERTIFICATE,
                    Signal.TLS_CERTIFICATE.weight,
                    f"The certificate is for {name[:MAX_VALUE]}, a name of {system}.",
                )


def _common_names(subject: str | None) -> tuple[str, ...]:
    """The CN values of a distinguished name in RFC 4514 form."""
    parts = (part.strip() for part in (subject or "").split(","))
    return tuple(part[3:] for part in parts if part[:3].upper() == "CN=")


def _orders(observation: Observation) -> Iterator[_Find]:
    methods = " ".join(method.upper() for method in observation.allow)[:MAX_VALUE]
    for order, system in METHOD_ORDERS:
        if f"{methods} ".startswith(f"{order} "):
            text = f"Allow lists the methods in the order of {system}."
            yield _Find((system,), Signal.METHOD_ORDER, Signal.METHOD_ORDER.weight, text)
    extensions = " ".join(tag.lower() for tag in observation.supported)[:MAX_VALUE]
    for order, system in SUPPORTED_ORDERS:
        if extensions == order:
            text = f"Supported lists the extensions in the order of {system}."
            yield _Find((system,), Signal.SUPPORTED_ORDER, Signal.SUPPORTED_ORDER.weight, text)
    if ACCEPTED_TYPES[0] <= {media_type.lower() for media_type in observation.accept}:
        system = ACCEPTED_TYPES[1]
        text = f"Accept lists the media types of {system}."
        yield _Find((system,), Signal.ACCEPT_LIST, Signal.ACCEPT_LIST.weight, text)


def _to_tag(observation: Observation) -> Iterator[_Find]:
    tag = observation.to_tag or ""
    hidden = observation.server is None and observation.user_agent is None
    for shape in TAG_SHAPES:
        if shape.status is not None and not (hidden and observation.status == shape.status):
            continue
        if len(tag) <= MAX_VALUE and shape.pattern.fullmatch(tag):
            text = f"The To-tag has the shape of {' and '.join(shape.systems)}."
            yield _Find(shape.systems, Signal.TO_TAG, Signal.TO_TAG.weight, text)
