"""Answers of the routes of the whole configuration; passwords read ``********``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from domain.trunk import AuthMode, Direction, TrunkDirection

__all__ = [
    "EXAMPLE_PLAN",
    "CarrierView",
    "ChangeAction",
    "ChangedField",
    "NumbersView",
    "PbxPassword",
    "PlanView",
    "StateChange",
    "StateView",
    "TrunkStateView",
]

EXAMPLE_PLAN: Final[dict[str, Any]] = {
    "applied": False,
    "changes": [
        {
            "action": "trunk.update",
            "trunk": "Acme Carrier, US East",
            "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
            "fields": [
                {"field": "options.port", "before": None, "after": 5061},
                {"field": "options.sip_password", "before": "********", "after": "********"},
            ],
        },
        {
            "action": "number.attach",
            "phone_numbers": ["+14150000001", "+14150000002"],
            "direction": "outbound",
            "fields": [{"field": "0.trunk", "before": None, "after": "Acme Carrier, US East"}],
        },
    ],
}


def _left_out(value: object) -> bool:
    return value is None


Settings = Annotated[dict[str, Any] | None, Field(exclude_if=_left_out)]


class _ConnectionView(BaseModel):
    sip_endpoint: Annotated[str | None, Field(exclude_if=_left_out)] = None
    auth_mode: Annotated[AuthMode | None, Field(exclude_if=_left_out)] = None
    register_auth: Settings = None
    options: Settings = None
    headers: Settings = None
    failover_config: Settings = None
    codec_config: Settings = None
    alert_config: Settings = None


class TrunkStateView(_ConnectionView):
    """A named trunk; ``trunk_id`` only when several trunks have its name."""

    name: str
    trunk_id: Annotated[str | None, Field(exclude_if=_left_out)] = None
    provider: str
    direction: TrunkDirection


class CarrierView(_ConnectionView):
    """A named trunk by its name (or its id), or the settings of an unnamed one."""

    trunk: Annotated[str | None, Field(exclude_if=_left_out)] = None


class NumbersView(BaseModel):
    """Numbers that are configured alike."""

    phone_numbers: list[str]
    inbound: Annotated[list[CarrierView], Field(exclude_if=lambda found: not found)] = []
    outbound: Annotated[list[CarrierView], Field(exclude_if=lambda found: not found)] = []


class StateView(BaseModel):
    """The document that PUT takes."""

    version: int
    trunks: list[TrunkStateView]
    numbers: list[NumbersView]


class ChangeAction(StrEnum):
    """What a change does, in the words of the audit log."""

    TRUNK_CREATE = "trunk.create"
    TRUNK_UPDATE = "trunk.update"
    TRUNK_DELETE = "trunk.delete"
    NUMBER_ATTACH = "number.attach"
    NUMBER_UPDATE = "number.update"
    NUMBER_DETACH = "number.detach"


class ChangedField(BaseModel):
    """One field; ``null`` where it is not set. A password that reads `********` on both sides is
    another one."""

    field: Annotated[
        str,
        Field(
            description="Path, such as `options.port`. Of a number it begins with the place in the "
            "direction's list."
        ),
    ]
    before: Any
    after: Any


class StateChange(BaseModel):
    """A change of one trunk, or one that several numbers have in common."""

    action: ChangeAction
    trunk: Annotated[str | None, Field(exclude_if=_left_out, description="Its name.")] = None
    trunk_id: Annotated[
        str | None, Field(exclude_if=_left_out, description="Of a trunk that is there already.")
    ] = None
    phone_numbers: Annotated[list[str] | None, Field(exclude_if=_left_out)] = None
    direction: Annotated[Direction | None, Field(exclude_if=_left_out)] = None
    fields: list[ChangedField]


class PbxPassword(BaseModel):
    """The password to type into the PBX that this user registers at; never shown again."""

    username: str
    register_password_for_pbx: str


class PlanView(BaseModel):
    """What differs between the present state and the document."""

    applied: bool = Field(description="Whether the changes are made; false for `dry_run`.")
    changes: list[StateChange]
    register_passwords_for_pbx: Annotated[
        list[PbxPassword] | None,
        Field(
            exclude_if=_left_out,
            description="Of registrations whose password the document brought.",
        ),
    ] = None
