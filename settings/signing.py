"""Signing pages: who stands before them, and who else may say that a letter was signed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from settings.values import CommaSeparated, Network

__all__ = ["SigningSettings"]


class SigningSettings(BaseSettings):
    """Of the API, which serves the pages on which letters of authorization are signed."""

    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, CommaSeparated] = Field(
        default=(),
        description="Networks (CIDR, separated by commas) of your reverse proxies. What they say in "
        "X-Forwarded-For is believed: it is the address in the record of a signature, and requests for "
        "links are counted by it.",
    )
    signature_webhook_secret: SecretStr | None = Field(
        default=None,
        description="Secret (`whsec_` and base64) of an outside service for electronic signatures, which "
        "signs what it sends to `/v1/sip/port/{id}/signature-events` by Standard Webhooks. Without it "
        "that route does not exist.",
    )
