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
    "TestCallId",
    "TrunkId",
]


# All of them are coroutines: FastAPI runs a plain function in a thread, which costs more than it does.
# None depends on another one, and routes that are asked often use ``state_of`` themselves: FastAPI
# works for each dependency on every request.
async def _state(request: Request) -> ApiState:
    return state_of(request)


async def _settings(request: Request) -> Settings:
    return state_of(request).settings


async def _database(request: Request) -> Database:
    return state_of(request).database


async def _temporal(request: Request) -> TemporalGateway:
    return state_of(request).temporal


async def _authenticator(request: Request) -> Authenticator:
    return state_of(request).authenticator


async def _secret_box(request: Request) -> SecretBox:
    return state_of(request).secret_box


async def _request_id(request: Request) -> str:
    return request_id_of(request.scope)


StateDep = Annotated[ApiState, Depends(_state)]
SettingsDep = Annotated[Settings, Depends(_settings)]
DatabaseDep = Annotated[Database, Depends(_database)]
TemporalDep = Annotated[TemporalGateway, Depends(_temporal)]
AuthenticatorDep = Annotated[Authenticator, Depends(_authenticator)]
SecretBoxDep = Annotated[SecretBox, Depends(_secret_box)]
RequestId = Annotated[str, Depends(_request_id)]


async def _actor(request: Request, principal: Viewer) -> Actor:
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
TestCallId = Annotated[
    str,
    Path(
        pattern="^tc_[0-9A-Za-z]{22}$",
        description="Id of the test call.",
        examples=["tc_5sVd9YfMhQ2cUo7NkBz3Tw"],
    ),
]
TrunkId = Annotated[
    str,
    Path(
        pattern="^trk_[0-9A-Za-z]{22}$",
        description="Id of the trunk.",
        examples=["trk_9mWc2RzKp0nLq4TbXs7VhE"],
    ),
]
