"""How the endpoints of a trunk are judged: ``options.health_check``."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from api.validation import RequestModel
from domain.health_rule import MAX_CODES, HealthPreset, HealthRule, HealthSource

__all__ = ["HealthCheckInput"]

Code = Annotated[int, Field(ge=200, le=699, strict=True)]
Codes = Annotated[tuple[Code, ...], Field(max_length=MAX_CODES)]

_PRESETS: Final = (
    "`standard`: 2xx is healthy, other replies are reachable, 5xx is degraded, 408, 503 and silence "
    "are down. `strict_200`: 200 or down. `any_reply`: whatever answers is up. `cisco`: 503 and 505 "
    "are down. `custom`: by `down_codes` and `up_codes`."
)


class HealthCheckInput(RequestModel):
    """Which replies to OPTIONS make an endpoint healthy, and which make it down."""

    preset: Annotated[HealthPreset, Field(description=_PRESETS)] = HealthPreset.STANDARD
    down_codes: Annotated[
        Codes, Field(description="For `custom`: responses that are down; not 200.")
    ] = ()
    up_codes: Annotated[
        Codes,
        Field(description="For `custom`: with these, every response that is not listed is down."),
    ] = ()
    source: Annotated[
        HealthSource,
        Field(
            description="`calls` for a peer that ignores OPTIONS: none are sent, and the outcomes "
            "of calls alone count. With `options` they count too."
        ),
    ] = HealthSource.OPTIONS

    @model_validator(mode="after")
    def _is_a_rule(self) -> Self:
        try:
            HealthRule.model_validate(self.model_dump())
        except ValidationError as error:
            reason = str(error.errors()[0]["ctx"]["error"])
            place = "down_codes" if self.preset is HealthPreset.CUSTOM else "preset"
            told = {"text": reason, "place": place}
            raise PydanticCustomError("misplaced", "{text}", told) from error
        return self
