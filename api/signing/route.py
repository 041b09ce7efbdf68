"""The route class of pages: what goes wrong is a page too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.error_handlers import REFUSALS, refusal
from api.errors import Unavailable
from api.signing.forms import BadForm
from api.signing.letters import LetterDamaged
from api.signing.pages import page
from observability.logs import get_logger
from papers.errors import CheckUnavailable, PaperError
from storage.documents.base import DocumentStoreError
from storage.secret_box import SecretBoxError

__all__ = ["PageRoute"]

_log = get_logger("trunkline.signing")

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route that answers people."""

    def get_route_handler(self) -> _Handler:
        carry_out = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await carry_out(request)
            except BadForm as error:
                return _trouble(400, f"{error}; load the page again and repeat what you did.")
            except (CheckUnavailable, DocumentStoreError) as error:
                _log.warning("a letter cannot be reached", reason=str(error))
                return _away()
            except (LetterDamaged, PaperError, SecretBoxError) as error:
                _log.error("a letter cannot be signed", reason=str(error))
                return _trouble(500, _OURS)
            except REFUSALS as error:
                refused = refusal(error)
                if isinstance(refused, Unavailable):
                    return _away()
                return _trouble(refused.status, str(refused))

        return handle


_OURS = (
    "Something is wrong with this letter on our side, and nothing was signed. Tell the company that sent "
    "you the link; it can send you a new one."
)


def _away() -> Response:
    said = (
        "We cannot reach something that this page needs. Nothing was signed. Try again in a minute."
    )
    return page("trouble", status=503, headers={"Retry-After": "60"}, said=said)


def _trouble(status: int, said: str) -> Response:
    return page("trouble", status=status, said=said[:1].upper() + said[1:])
