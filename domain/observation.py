"""What is known of an endpoint when it is asked which system answers there."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from domain.attempts import AttemptOutcome

__all__ = ["Observation", "observation_of"]


class Observation(BaseModel):
    """What is known of an endpoint from its reply, its certificate and its place in the network."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    server: str | None = None
    user_agent: str | None = None
    headers: dict[str, str] = Field(default_factory=dict, description="Names in lower case.")
    warning: str | None = None
    allow: tuple[str, ...] = ()
    supported: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    to_tag: str | None = None
    host: str | None = None
    address: str | None = None
    tls_subject: str | None = None
    tls_names: tuple[str, ...] = ()
    status: int | None = None


def observation_of(attempt: AttemptOutcome) -> Observation:
    """What an attempt showed; empty but for host and address when it was not answered."""
    reply = attempt.reply if attempt.answered else None
    leaf = attempt.tls.chain[0] if attempt.tls is not None and attempt.tls.chain else None
    return Observation(
        server=reply.server if reply else None,
        user_agent=reply.user_agent if reply else None,
        headers=reply.headers if reply else {},
        warning=reply.warning if reply else None,
        allow=reply.allow if reply else (),
        supported=reply.supported if reply else (),
        accept=reply.accept if reply else (),
        to_tag=reply.to_tag if reply else None,
        host=attempt.host,
        address=attempt.address,
        tls_subject=leaf.subject if leaf else None,
        tls_names=leaf.names if leaf else (),
        status=reply.status if reply else None,
    )
