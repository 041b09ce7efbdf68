"""What a carrier says about porting one number, before anything is ordered."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.porting.rejection_codes import RejectionCode
from domain.porting.words import NumberType, Portability

__all__ = ["PortabilityCheck"]


class PortabilityCheck(BaseModel):
    """The answer for one number (E.164 with ``+``), of the carrier that would take it over.

    ``code`` and ``reason`` say why not, ``reason`` also why it is unknown. ``losing_carrier`` is the
    name, ``spid`` the code of the carrier that has the number now (for toll-free numbers its
    RespOrg); the brand on the bill may be a reseller of it. ``country`` is an ISO 3166 code,
    ``lead_days`` the carrier's own minimum in days, ``None`` where it names none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: str
    portability: Portability
    number_type: NumberType | None = None
    pin_required: bool = False
    code: RejectionCode | None = None
    reason: str = ""
    losing_carrier: str | None = None
    spid: str | None = None
    country: str | None = None
    rate_center: str | None = None
    lead_days: Annotated[int | None, Field(ge=0)] = None

    @property
    def portable(self) -> bool:
        """The contract's boolean (6.1): false when it is unknown."""
        return self.portability is Portability.YES
