"""What an outside service for electronic signatures tells."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SignatureEvent", "SignatureEventData"]


class SignatureEventData(BaseModel):
    """What happened to the letter. What else the service says is ignored; no URL is ever fetched."""

    model_config = ConfigDict(extra="ignore")

    letter: Annotated[
        int | None, Field(ge=1, description="Revision of the letter; the newest when left out.")
    ] = None
    document_id: Annotated[
        str | None,
        Field(max_length=100, description="The signed PDF, uploaded to `/v1/sip/port/document`."),
    ] = None
    signer_name: Annotated[str, Field(max_length=200)] = ""
    signer_email: Annotated[str, Field(max_length=320)] = ""
    reason: Annotated[str, Field(max_length=500, description="Why it was declined.")] = ""


class SignatureEvent(BaseModel):
    """The body of ``POST /v1/sip/port/{id}/signature-events``."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["loa_signed", "loa_declined"]
    data: SignatureEventData = SignatureEventData()
