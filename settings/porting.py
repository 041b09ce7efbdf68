"""Number porting: who takes numbers over, whose rules hold, and where documents are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode

from settings.values import CommaSeparated, Duration

__all__ = ["PortingSettings"]


class PortingSettings(BaseSettings):
    """Of everything under ``/v1/sip/port`` and of the orders' workflows."""

    porting_carrier: Literal["simulator"] = Field(
        default="simulator",
        description="Winning carrier that new orders are placed with. `simulator` ports nothing: its "
        "orders take their course by themselves.",
    )
    porting_clock_scale: float = Field(
        default=1.0,
        ge=1,
        le=1_000_000,
        description="With the simulator, how many times faster than on a calendar an order waits: 1 is "
        "real time, with 10000 a day takes nine seconds.",
    )
    porting_webhook_secret: SecretStr | None = Field(
        default=None,
        description="Secret (`whsec_` and base64) that the winning carrier signs its webhooks with. Without "
        "it none are taken, and orders are asked after every so often.",
    )
    porting_lead_days: int | None = Field(
        default=None,
        ge=0,
        le=30,
        description="Calendar days between an order and the first date that may be asked for; unset "
        "takes those of the losing carrier's profile, which are 7 where nothing else is said.",
    )
    porting_carriers_file: str | None = Field(
        default=None,
        description="TOML file of losing carriers, their calendars and periods, in the form of "
        "`domain/porting/carriers.toml`; unset takes that one.",
    )
    porting_loa_template_file: str | None = Field(
        default=None,
        description="TOML file of the letter of authorization, in the form of "
        "`domain/porting/loa_template_v1.toml`; unset takes that one. Have its text reviewed.",
    )
    porting_company: str = Field(
        default="Trunkline",
        min_length=1,
        description="Company that letters of authorization appoint as the customer's agent.",
    )
    porting_contact: str = Field(
        default="the porting desk",
        description="Where a signer can write to; letters name it, such as an e-mail address.",
    )
    porting_winning_carrier: str | None = Field(
        default=None,
        description="Name of the carrier that takes numbers over, as letters state it; unset is the "
        "company itself.",
    )
    porting_desk_emails: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = Field(
        default=(),
        description="Mailboxes of the porting desk, which are told when an order needs somebody, "
        "separated by commas.",
    )
    porting_checks_kept: Duration = Field(
        default=timedelta(hours=1),
        ge=timedelta(0),
        le=timedelta(days=30),
        description="How old an answer of the winning carrier about a number may be that is given again "
        "(ISO 8601 or seconds).",
    )

    document_store: Literal["local", "s3"] = Field(
        default="local",
        description="Where uploaded documents and letters are kept: a folder, or a bucket of S3 or of "
        "what speaks its protocol.",
    )
    document_folder: str = Field(
        default="var/documents",
        description="The folder, for every API and worker process the same one.",
    )
    document_s3_bucket: str | None = Field(
        default=None, description="The bucket, which must exist."
    )
    document_s3_region: str = Field(default="us-east-1", description="The bucket's region.")
    document_s3_endpoint: str | None = Field(
        default=None, description="URL of a store other than AWS."
    )
    document_s3_access_key: str | None = Field(
        default=None, description="Access key; unset takes the machine's own credentials."
    )
    document_s3_secret_key: SecretStr | None = Field(
        default=None, description="The secret that goes with it."
    )
    document_s3_prefix: str = Field(
        default="", description="What goes before each key, such as `trunkline/`."
    )
    document_quota_bytes: int = Field(
        default=500_000_000,
        ge=1_000_000,
        description="Bytes of uploaded documents that one organization may keep.",
    )
    document_quota_files: int = Field(
        default=1000, ge=1, description="Uploaded documents that one organization may keep."
    )

    @model_validator(mode="after")
    def _bucket_named(self) -> Self:
        if self.document_store == "s3" and not self.document_s3_bucket:
            raise ValueError("document_store is s3, so document_s3_bucket must name the bucket")
        return self
