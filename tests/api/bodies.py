"""Bodies that the routes of ``/v1/sip`` accept and that together use every field of their schemas."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["BODIES", "NUMBER"]

Body = dict[str, Any]

NUMBER: Final = "+14155550142"

_INBOUND_HEADERS: Body = {
    "direction": "inbound",
    "headers": [
        {"type": "custom", "key": "X-Account", "value": "account", "passthrough": False},
        {
            "type": "uui",
            "target": "customer",
            "purpose": "example",
            "encoding": "hex",
            "content": "id",
        },
    ],
}
_OUTBOUND_HEADERS: Body = {**_INBOUND_HEADERS, "direction": "outbound"}
_REGISTER: Body = {"username": "acme", "password": "register-me"}
_OPTIONS: Body = {
    "port": 5061,
    "transport": "tls",
    "secure_media": True,
    "sip_username": "acme",
    "sip_password": "call-me",
    "sip_realm": "acme.example",
    "minimum_digest": "SHA-256",
    "caller_id": "number",
    "identity_header": "p_asserted_identity",
    "number_format": "e164",
    "from_domain": "acme.example",
    "exact_tls_names": True,
    "ca_pem": "{ca_pem}",
    "certificate_pin": "ab" * 32,
    "client_certificate": "{client_certificate}",
    "client_key": "{client_key}",
    "health_check": {
        "preset": "custom",
        "down_codes": [503],
        "up_codes": [200, 404],
        "source": "options",
    },
}
_CODECS: Body = {"codec_config": {"codecs": ["PCMU", "PCMA"], "transcode": False}}
_CONFIG: Body = {
    "failover_config": {
        "enabled": True,
        "endpoints": [
            {"host": "a.acme.example", "port": 5061, "transport": "tls", "priority": 1},
        ],
        "triggers": ["unreachable"],
        "failback": "manual",
        "canary": True,
        "hold_down_seconds": 60,
    },
    **_CODECS,
    "alert_config": {
        "enabled": True,
        "thresholds": {
            "unreachable_minutes": 5,
            "failure_rate_percent": 20,
            "failure_rate_window_minutes": 30,
            "response_time_ms": 500,
        },
        "channels": {"email": False, "sms": False, "webhook": "https://hooks.acme.example/"},
    },
}
_INBOUND: Body = {
    "type": "inbound",
    "sip_endpoint": "sip:pbx.acme.example",
    "auth_mode": "register",
    "register_auth": _REGISTER,
    "headers": _INBOUND_HEADERS,
}
_OUTBOUND: Body = {
    "type": "outbound",
    "sip_endpoint": "sip:trunk.acme.example",
    "options": {**_OPTIONS, "codecs": ["PCMU"]},
    "headers": _OUTBOUND_HEADERS,
}
_CONNECTION: Body = {
    "sip_endpoint": "sip:trunk.acme.example",
    "auth_mode": "register",
    "register_auth": _REGISTER,
    "options": _OPTIONS,
    "headers": _OUTBOUND_HEADERS,
    **_CONFIG,
}
_TRUNK: Body = {"name": "Acme", "provider": "custom", "direction": "both", **_CONNECTION}

_MAILBOX: Final = "it@acme.example"
_PORT_SECRETS: Body = {"pin": "4711", "account_number": "00412-88"}
_ADDRESS: Body = {
    "street": "1 Main St",
    "street2": "Suite 4",
    "street_2": "Suite 4",
    "city": "San Francisco",
    "state": "CA",
    "zip": "94105",
    "country": "US",
}
_LOSING_CARRIER: Body = {
    "customer_type": "business",
    "customer_name": "Acme, Inc.",
    "business_name": "Acme, Inc.",
    "first_name": "Jane",
    "last_name": "Doe",
    "account_number": "00412-88",
    "authorized_representative": "Jane Doe",
    "authorized_representative_title": "Owner",
    "authorized_representative_email": "jane@acme.example",
    "address": _ADDRESS,
    "billing_address": _ADDRESS,
}
_PORT: Body = {
    "documents": ["{document_id}"],
    "document_date": "2030-02-20",
    "pin": "4711",
    "phone_number_pins": {},
    "pin_received_on": "2030-03-01",
    "pin_expires_on": "2030-03-08",
    "port_type": "partial",
    "new_billing_telephone_number": "+14155550149",
    "remaining_numbers_action": "keep",
    "customer_reference": "PO 7",
    "trunk_id": "{trunk_id}",
}

_CHANGES: Body = {
    "losing_carrier_information": {**_LOSING_CARRIER, "notification_emails": [_MAILBOX]},
    "target_port_date": "2030-03-12",
    "billing_telephone_number": "+14155550143",
    **_PORT,
}
_CHANGES_IN_OTHER_WORDS: Body = {
    "losing_carrier_information": {"account_telephone_number": "+14155550143"},
    "target_port_in_date": "2030-03-12",
    "notification_emails": [_MAILBOX],
}
_DRAFT: Body = {
    "phone_numbers": [{"number": "+14155550144", **_PORT_SECRETS}],
    "on_demand": True,
    **_CHANGES,
}
_DRAFT_IN_OTHER_WORDS: Body = {"phone_numbers": ["+14155550143"], **_CHANGES_IN_OTHER_WORDS}

BODIES: Final[dict[tuple[str, str], list[Body]]] = {
    ("POST", "/v1/sip/parse-destination"): [{"input": "sip.example.com"}],
    ("POST", "/v1/sip/discover"): [{"host": "sip.example.com", "port": 5060, "transport": "udp"}],
    ("POST", "/v1/sip/attach"): [
        {
            "phone_numbers": ["+14155550143"],
            "directions": [_INBOUND, _OUTBOUND],
            "service": "sip",
        },
        {
            "phone_number": "+14155550143",
            "trunk_id": "{trunk_id}",
            "directions": [{"type": "outbound"}],
            "service": "sip",
        },
    ],
    ("POST", "/v1/sip/update"): [
        {"phone_number": NUMBER, "updates": _INBOUND},
        {"phone_number": NUMBER, "updates": _OUTBOUND, "id": "{outbound_id}"},
    ],
    ("PATCH", "/v1/sip/config"): [
        {"phone_number": NUMBER, "direction": "outbound", "id": "{outbound_id}", **_CONFIG}
    ],
    ("POST", "/v1/sip/detach"): [
        {"phone_number": NUMBER, "directions": [{"type": "outbound"}], "service": "sip"}
    ],
    ("POST", "/v1/sip/trunks"): [
        _TRUNK,
        {"name": "Acme", "direction": "both", "headers": {"X-Account": "acme"}},
    ],
    ("PATCH", "/v1/sip/trunks/{trunk_id}"): [
        {"name": "Acme 2", "provider": "custom", **_CONNECTION},
        {"headers": {"X-Account": "acme"}},
    ],
    ("PUT", "/v1/sip/state"): [
        {
            "version": 1,
            "trunks": [{"trunk_id": "{trunk_id}", **_TRUNK}],
            "numbers": [
                {
                    "phone_numbers": [NUMBER],
                    "inbound": [{"auth_mode": "register", "register_auth": _REGISTER}],
                    "outbound": [
                        {"trunk": "{trunk_id}"},
                        {"sip_endpoint": "a.acme.example", **_CODECS, "headers": {"X-A": "b"}},
                    ],
                }
            ],
        }
    ],
    ("POST", "/v1/sip/trunks/{trunk_id}/failover"): [{"to": 1, "even_if_down": False}],
    ("POST", "/v1/sip/trunks/{trunk_id}/failback"): [{"canary": True}],
    ("POST", "/v1/sip/trunks/{trunk_id}/pin"): [{"to": 1, "minutes": 60}],
    ("POST", "/v1/sip/trunks/{trunk_id}/maintenance"): [
        {"position": 0, "starts_at": "2030-03-10T02:00:00Z", "minutes": 60}
    ],
    ("POST", "/v1/sip/trunks/{trunk_id}/drill"): [{"phone_number": NUMBER, "seconds": 60}],
    ("POST", "/v1/sip/port/initiate"): [
        {**_DRAFT, "continue_without": True},
        {
            **_DRAFT_IN_OTHER_WORDS,
            "losing_carrier_information": {
                **_LOSING_CARRIER,
                "account_telephone_number": "+14155550143",
            },
        },
    ],
    ("POST", "/v1/sip/port/drafts"): [_DRAFT, _DRAFT_IN_OTHER_WORDS],
    ("PATCH", "/v1/sip/port/drafts/{id}"): [_DRAFT, _DRAFT_IN_OTHER_WORDS],
    ("POST", "/v1/sip/port/{id}/resubmit"): [_CHANGES, _CHANGES_IN_OTHER_WORDS],
    ("POST", "/v1/sip/port/{id}/documents"): [
        {"documents": ["{document_id}"], "document_date": "2030-02-20"}
    ],
    ("POST", "/v1/sip/port/{id}/reschedule"): [{"requested_date": "2030-03-12"}],
    ("POST", "/v1/sip/port/{id}/comments"): [{"text": "Hello", "public": True}],
    ("POST", "/v1/sip/port/{id}/pins"): [
        {
            "pin": "4711",
            "phone_number_pins": {},
            "pin_received_on": "2030-03-01",
            "pin_expires_on": "2030-03-08",
        }
    ],
    ("POST", "/v1/sip/port/{id}/simulate"): [{"scenario": "happy", "event": "carrier_news"}],
    ("POST", "/v1/sip/alerts/test"): [{"channel": "webhook"}],
    ("POST", "/v1/sip/test-call"): [{"phone_number": NUMBER, "to": "100"}],
    ("POST", "/v1/sip/test-call/{call_id}/retry"): [{"variant": "e164"}],
}
"""By route. ``{trunk_id}`` and ``{outbound_id}`` stand for a named trunk and a configuration of
``NUMBER``; the other names in braces for PEM."""
