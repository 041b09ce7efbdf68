"""Alerts: who takes our mail and text messages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

__all__ = ["AlertSettings"]


class AlertSettings(BaseSettings):
    """Of the worker, which sends alerts."""

    smtp_host: str | None = Field(
        default=None,
        description="SMTP server for alerts by e-mail. Without it that channel fails, and says so.",
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the connection to it is protected; certificates are verified. `none` is for a "
        "server on the same machine.",
    )
    smtp_user: str | None = Field(default=None, description="User to log in to it as.")
    smtp_password: SecretStr | None = Field(default=None, description="The password of that user.")
    smtp_sender: str = Field(
        default="trunkline@localhost", description="Address that alerts by e-mail come from."
    )
    twilio_account_sid: str | None = Field(
        default=None,
        description="Twilio account for alerts by SMS. Without it that channel fails, and says so.",
    )
    twilio_user: str | None = Field(
        default=None, description="SID of a Twilio API key; the account's SID when it is not set."
    )
    twilio_password: SecretStr | None = Field(
        default=None, description="The secret of that API key, or the account's token."
    )
    twilio_sender: str | None = Field(
        default=None, description="Number in E.164, or the SID of a messaging service (`MG…`)."
    )
    twilio_url: str = Field(
        default="https://api.twilio.com", description="Where Twilio, or what speaks like it, is."
    )
