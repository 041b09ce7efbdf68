"""Pages and what goes with each of them: nothing of others in them, nothing of them elsewhere.

Whoever has the link can sign, so it must not leak: no referrer, no cache, no search engine, no frame. Styles
and scripts come from our own files only (Content Security Policy Level 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import RedirectResponse, Response

__all__ = ["ASSETS", "HEADERS", "PDF_HEADERS", "asset", "page", "see_other"]

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
        "Cache-Control": "no-store",
    }
)

PDF_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **HEADERS,
        # A browser shows a PDF by a page of its own making, with an object and styles in it.
        "Content-Security-Policy": "default-src 'none'; object-src 'self'; "
        "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    }
)

ASSETS: Final[Mapping[str, str]] = MappingProxyType(
    {"sign.css": "text/css; charset=utf-8", "sign.js": "text/javascript; charset=utf-8"}
)

_environment: Final = Environment(
    loader=PackageLoader("api.signing"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """The page that the template ``name`` makes of the values, which are escaped."""
    html = _environment.get_template(f"{name}.html").render(values)
    return Response(
        html.encode("utf-8", "replace"),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={**HEADERS, **(headers or {})},
    )


def see_other(path: str) -> Response:
    """Go on with another page, so that loading it again sends no form (RFC 9110 15.4.4)."""
    return RedirectResponse(path, status_code=303, headers=dict(HEADERS))


def asset(name: str) -> Response | None:
    """A style or script; ``None`` when there is none of this name."""
    kind = ASSETS.get(name)
    if kind is None:
        return None
    content = (files("api.signing") / "assets" / name).read_bytes()
    kept = {**HEADERS, "Cache-Control": "public, max-age=3600"}
    return Response(content, headers={**kept, "Content-Type": kind})
