"""The routes of the public contract, sections 3 to 7, and which of them the API does not have yet."""

from __future__ import annotations

from typing import Final

__all__ = ["NOT_BUILT", "PUBLISHED"]

NOT_BUILT: Final = frozenset(
    {
        ("PUT", "/v1/sip/verify"),
    }
)
"""No example asks these."""

PUBLISHED: Final = NOT_BUILT | {
    ("GET", "/v1/sip"),
    ("POST", "/v1/sip/attach"),
    ("POST", "/v1/sip/update"),
    ("POST", "/v1/sip/detach"),
    ("GET", "/v1/sip/numbers"),
    ("GET", "/v1/sip/generate-password"),
    ("POST", "/v1/sip/parse-destination"),
    ("POST", "/v1/sip/discover"),
    ("GET", "/v1/sip/discover/status"),
    ("POST", "/v1/sip/test-call"),
    ("GET", "/v1/sip/test-call/status"),
    ("GET", "/v1/sip/firewall-ips"),
    ("GET", "/v1/sip/outbound-setup"),
    ("GET", "/v1/sip/status"),
    ("GET", "/v1/sip/calls"),
    ("PATCH", "/v1/sip/config"),
    ("GET", "/v1/sip/port/check"),
    ("POST", "/v1/sip/port/document"),
    ("POST", "/v1/sip/port/initiate"),
    ("GET", "/v1/sip/port"),
    ("DELETE", "/v1/sip/port/{id}"),
    ("POST", "/v1/sip/trunks"),
    ("GET", "/v1/sip/trunks"),
    ("GET", "/v1/sip/trunks/{trunk_id}"),
    ("PATCH", "/v1/sip/trunks/{trunk_id}"),
    ("DELETE", "/v1/sip/trunks/{trunk_id}"),
    ("POST", "/v1/sip/trunks/{trunk_id}/test-connection"),
}
"""Method and path of all of them."""
