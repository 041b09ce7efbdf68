"""What routes ask for, as ``Annotated`` aliases; :mod:`api.access` has those that admit callers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from api.access import Viewer
from api.authentication import Authenticator
from api.request_context import request_id_of
from api.services.actor import Actor, actor_of
from api.state import ApiState, state_of
from api.temporal import TemporalGateway
from settings import Settings
from storage.engine import Database
from storage.secret_box import SecretBox

__all__ = [
    "AuthenticatorDep",
    "By",
    "DatabaseDep",
    "KeyId",
    "OrgId",
    "RequestId",
    "SecretBoxDep",
    "SettingsDep",
    "StateDep",
    "TemporalDep",
]

StateDep = Annotated[ApiState, Depends(state_of)]


def _settings(state: StateDep) -> Settings:
    return state.settings


def _database(state: StateDep) -> Database:
    return state.database


def _temporal(state: StateDep) -> TemporalGateway:
    return state.temporal


def _authenticator(state: StateDep) -> Authenticator:
    return state.authenticator


def _secret_box(state: StateDep) -> SecretBox:
    return state.secret_box


def _request_id(request: Request) -> str:
    return request_id_of(request.scope)


SettingsDep = Annotated[Settings, Depends(_settings)]
DatabaseDep = Annotated[Database, Depends(_database)]
TemporalDep = Annotated[TemporalGateway, Depends(_temporal)]
AuthenticatorDep = Annotated[Authenticator, Depends(_authenticator)]
SecretBoxDep = Annotated[SecretBox, Depends(_secret_box)]
RequestId = Annotated[str, Depends(_request_id)]


def _actor(request: Request, principal: Viewer) -> Actor:
    return actor_of(request, principal)


By = Annotated[Actor, Depends(_actor)]
"""The key that sent the request, as the audit log names it."""

# A text that has not the form of an id names nothing that exists, and the answer is 404.
OrgId = Annotated[
    str,
    Path(
        pattern="^org_[0-9A-Za-z]{22}$",
        description="Id of the organization.",
        examples=["org_4fJq0ZxYbT1mN8cRw2LkPa"],
    ),
]
KeyId = Annotated[
    str,
    Path(
        pattern="^key_[0-9A-Za-z]{22}$",
        description="Id of the API key.",
        examples=["key_7hWc2RzKp0nLq4TbXs9VmE"],
    ),
]
