"""Who may call a route. A route names one of the aliases and gets the principal::

    @router.get("/v1/sip/providers")
    async def providers(principal: SipViewer) -> ...

The key is checked before anything of the request is read, the role and the entitlement next, so a stranger
learns nothing from validation messages.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from api.authentication import Principal
from api.errors import Forbidden, SipNotEnabled
from api.schemas.common import Entitlement
from api.state import state_of
from observability.context import add_log_ids
from storage.tables import Role

__all__ = ["Access", "Editor", "Operator", "SipEditor", "SipViewer", "Viewer"]

_SCHEME = HTTPBearer(
    bearerFormat="API key",
    description="An API key, as `Bearer <key>`. The bare key without `Bearer` is accepted too.",
)


class Access(SecurityBase):
    """Dependency that admits keys of at least ``role``, and with ``sip`` only entitled organizations.

    It is the security scheme of OpenAPI itself, which spares every request a second dependency.
    """

    def __init__(self, role: Role, *, sip: bool = False) -> None:
        self.scheme_name = "ApiKey"
        self.model = _SCHEME
        self.role = role
        self.sip = sip

    async def __call__(self, request: Request) -> Principal:
        return await self.admit(request)

    async def admit(self, request: Request) -> Principal:
        """The principal of the request.

        Raises ``AuthFailure``, ``Forbidden``, ``SipNotEnabled`` or ``DatabaseUnavailable``.
        """
        principal: Principal | None = getattr(request.state, "principal", None)
        if principal is None:
            authenticator = state_of(request).authenticator
            principal = await authenticator.principal(request.headers.get("authorization"))
            request.state.principal = principal
            add_log_ids(org_id=principal.org_id, key_id=principal.key_id)
        if self.sip and Entitlement.SIP not in principal.entitlements:
            raise SipNotEnabled
        if not principal.may(self.role):
            raise Forbidden
        return principal


Viewer = Annotated[Principal, Depends(Access(Role.VIEWER))]
Editor = Annotated[Principal, Depends(Access(Role.EDITOR))]
Operator = Annotated[Principal, Depends(Access(Role.OPERATOR))]
SipViewer = Annotated[Principal, Depends(Access(Role.VIEWER, sip=True))]
SipEditor = Annotated[Principal, Depends(Access(Role.EDITOR, sip=True))]
