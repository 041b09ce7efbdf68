"""What the routes of one application share, built once when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from api.authentication import Authenticator
from api.metrics import ApiMetrics
from api.porting import Porting
from api.temporal import TemporalGateway
from api.upkeep import Upkeep
from domain.regions import Regions
from observability.metrics import TemporalRuntime
from settings import Settings
from storage.engine import Database
from storage.notify import Listener
from storage.secret_box import SecretBox

__all__ = ["ApiState", "state_of"]


@dataclass(frozen=True, slots=True)
class ApiState:
    """The dependencies of the routes. ``listener`` wakes those that wait for rows to change."""

    settings: Settings
    regions: Regions
    database: Database
    listener: Listener
    temporal: TemporalGateway
    authenticator: Authenticator
    secret_box: SecretBox
    porting: Porting
    metrics: ApiMetrics
    upkeep: Upkeep
    temporal_runtime: TemporalRuntime | None


def state_of(request: Request) -> ApiState:
    """The state of the application that got this request."""
    state: ApiState = request.app.state.trunkline
    return state
