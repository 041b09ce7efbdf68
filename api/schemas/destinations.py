"""Bodies of the destination routes; what they answer is defined in ``domain``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.validation import RequestModel
from domain.providers import Provider

__all__ = ["EXAMPLE_PARSED", "DestinationInput", "ProviderList"]

MAX_INPUT = 2048

EXAMPLE_PARSED: dict[str, Any] = {
    "valid": True,
    "parsed": {
        "host": "your.provider.com",
        "port": 5061,
        "transport": "tls",
        "is_private_ip": False,
        "normalized": "sip:your.provider.com:5061;transport=tls",
        "kind": "hostname",
        "notes": [],
    },
}


class DestinationInput(RequestModel):
    """What a customer pasted."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"input": "your.provider.com:5061;transport=tls"}]}
    )

    input: Annotated[
        str, Field(max_length=MAX_INPUT, description="A host name, an address or a SIP URI.")
    ]


class ProviderList(BaseModel):
    """The catalogue, in the order in which a wizard shows it."""

    providers: list[Provider]
