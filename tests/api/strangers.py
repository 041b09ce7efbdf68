"""How a stranger calls each route, and what it must get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.api.ported import body as port_body
from tests.api.victims import VICTIMS_NUMBER

__all__ = ["CASES", "Case", "Route"]

Route = tuple[str, str]


@dataclass(frozen=True)
class Case:
    """How a stranger (an editor of another organization) calls the route, and what it must get."""

    path: str = ""
    query: dict[str, str] | None = None
    body: Any = None
    statuses: frozenset[int] = frozenset({403, 404})


OWN_ONLY = Case(statuses=frozenset({200}))
"""Takes no id: the answer is about the caller's organization, and names no other."""

# {org}, {key}, {discovery} and {call} stand for the victim's ids.
CASES: dict[Route, Case] = {
    ("GET", "/v1/organizations"): Case(),
    ("POST", "/v1/organizations"): Case(body={"name": "Mine"}),
    ("GET", "/v1/organizations/{org_id}"): Case(),
    ("PATCH", "/v1/organizations/{org_id}"): Case(body={"alert_emails": ["me@example.com"]}),
    ("PUT", "/v1/organizations/{org_id}/entitlements"): Case(body={"entitlements": []}),
    ("POST", "/v1/organizations/{org_id}/signing-secret"): Case(),
    ("GET", "/v1/organizations/{org_id}/keys"): Case(),
    ("POST", "/v1/organizations/{org_id}/keys"): Case(body={"name": "x", "role": "operator"}),
    ("DELETE", "/v1/organizations/{org_id}/keys/{key_id}"): Case(),
    ("GET", "/v1/me"): OWN_ONLY,
    ("POST", "/v1/sip/parse-destination"): Case(
        body={"input": "sip.example.com"}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/providers"): OWN_ONLY,
    ("GET", "/v1/sip/firewall-ips"): OWN_ONLY,
    ("GET", "/v1/sip/audit"): OWN_ONLY,
    ("GET", "/v1/sip/outbound-setup"): Case(query={"phone_number": VICTIMS_NUMBER}),
    # Temporal is away here; what matters is whose slot is taken and whose row is shown.
    ("POST", "/v1/sip/discover"): Case(
        body={"host": "sip.example.com"}, statuses=frozenset({200, 503})
    ),
    ("GET", "/v1/sip/discover/status"): Case(query={"discovery_id": "{discovery}"}),
    # Whoever has the number, it leads nowhere for a stranger.
    ("POST", "/v1/sip/test-call"): Case(
        body={"phone_number": VICTIMS_NUMBER}, statuses=frozenset({409})
    ),
    ("GET", "/v1/sip/test-call/status"): Case(query={"call_id": "{call}"}),
    ("DELETE", "/v1/sip/test-call/{call_id}"): Case(),
    ("POST", "/v1/sip/test-call/{call_id}/retry"): Case(body={"variant": "e164"}),
    ("GET", "/v1/sip/test-call/{call_id}/events"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/trace"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/pcap"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/ladder.svg"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/ladder.mmd"): Case(),
    # Whoever has the number, a stranger's log holds no call of it.
    ("GET", "/v1/sip/calls"): Case(
        query={"phone_number": VICTIMS_NUMBER}, statuses=frozenset({200})
    ),
    # Refused for want of a number: what it streams is the list above.
    ("GET", "/v1/sip/calls/events"): Case(statuses=frozenset({400})),
    ("GET", "/v1/sip/calls/{call_id}"): Case(),
    ("GET", "/v1/sip/calls/{call_id}/trace"): Case(),
    ("GET", "/v1/sip/calls/{call_id}/pcap"): Case(),
    ("GET", "/v1/sip/calls/{call_id}/ladder.svg"): Case(),
    ("GET", "/v1/sip/calls/{call_id}/ladder.mmd"): Case(),
    ("GET", "/v1/sip/calls/{call_id}/compare"): Case(query={"with": "{call}"}),
    ("GET", "/v1/sip/calls/{call_id}/events"): Case(),
    ("GET", "/v1/sip/alerts"): OWN_ONLY,
    # The stranger has no recipients.
    ("POST", "/v1/sip/alerts/test"): Case(body={}, statuses=frozenset({400})),
    ("GET", "/v1/sip/alerts/test/{trial_id}"): Case(),
    ("GET", "/v1/sip/alerts/{alert_id}"): Case(),
    ("POST", "/v1/sip/alerts/{alert_id}/acknowledge"): Case(),
    # Whoever has the number, what carriers say of it is the same for everybody.
    ("GET", "/v1/sip/port/check"): Case(
        query={"phone_numbers": VICTIMS_NUMBER}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/port/rejection-codes"): OWN_ONLY,
    ("GET", "/v1/sip/port/business-days"): OWN_ONLY,
    # Refused for want of a file; what is uploaded is the caller's own.
    ("POST", "/v1/sip/port/document"): Case(statuses=frozenset({400})),
    ("GET", "/v1/sip/port/document/{document_id}"): Case(),
    ("DELETE", "/v1/sip/port/document/{document_id}"): Case(),
    ("POST", "/v1/sip/port/drafts"): Case(body={}, statuses=frozenset({200})),
    ("PATCH", "/v1/sip/port/drafts/{id}"): Case(body={"customer_reference": "mine"}),
    ("POST", "/v1/sip/port/drafts/{id}/submit"): Case(),
    # The number is in the victim's order.
    ("POST", "/v1/sip/port/initiate"): Case(
        body=port_body(VICTIMS_NUMBER), statuses=frozenset({409})
    ),
    ("GET", "/v1/sip/port"): Case(
        query={"phone_number": VICTIMS_NUMBER}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/port/{id}"): Case(),
    ("DELETE", "/v1/sip/port/{id}"): Case(),
    ("POST", "/v1/sip/port/{id}/resubmit"): Case(body={}),
    ("POST", "/v1/sip/port/{id}/reschedule"): Case(body={"requested_date": "2030-03-12"}),
    ("POST", "/v1/sip/port/{id}/activate"): Case(),
    ("POST", "/v1/sip/port/{id}/documents"): Case(
        body={"documents": ["doc_4fJq0ZxYbT1mN8cRw2LkPa"]}
    ),
    ("POST", "/v1/sip/port/{id}/pins"): Case(body={"pin": "4711"}),
    ("DELETE", "/v1/sip/port/{id}/numbers/{number}"): Case(),
    ("GET", "/v1/sip/port/{id}/timeline"): Case(),
    ("POST", "/v1/sip/port/{id}/comments"): Case(body={"text": "mine"}),
    ("POST", "/v1/sip/port/{id}/resend-signature"): Case(),
    ("GET", "/v1/sip/port/{id}/loa"): Case(),
    ("GET", "/v1/sip/port/{id}/ics"): Case(),
    ("POST", "/v1/sip/port/{id}/simulate"): Case(body={"scenario": "happy"}),
    ("GET", "/v1/sip"): Case(query={"phone_number": VICTIMS_NUMBER}),
    # The number is its holder's, so it is in `failed`.
    ("POST", "/v1/sip/attach"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "directions": [{"type": "inbound"}],
            "service": "sip",
        },
        statuses=frozenset({200}),
    ),
    ("POST", "/v1/sip/update"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "updates": {"type": "outbound", "sip_endpoint": "mine.example.com"},
        }
    ),
    ("PATCH", "/v1/sip/config"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "direction": "outbound",
            "codec_config": {"codecs": ["PCMA"]},
        }
    ),
    ("POST", "/v1/sip/detach"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "directions": [{"type": "inbound"}, {"type": "outbound"}],
            "service": "sip",
        }
    ),
    ("GET", "/v1/sip/numbers"): OWN_ONLY,
    ("GET", "/v1/sip/trunks"): OWN_ONLY,
    ("POST", "/v1/sip/trunks"): Case(
        body={"name": "Mine", "direction": "both"}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/trunks/{trunk_id}"): Case(),
    ("PATCH", "/v1/sip/trunks/{trunk_id}"): Case(body={"sip_endpoint": "mine.example.com"}),
    ("DELETE", "/v1/sip/trunks/{trunk_id}"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/test-connection"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/snippet"): Case(query={"for": "asterisk"}),
    ("GET", "/v1/sip/trunks/{trunk_id}/route"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/failover"): Case(body={"to": 1}),
    ("POST", "/v1/sip/trunks/{trunk_id}/failback"): Case(body={"canary": True}),
    ("POST", "/v1/sip/trunks/{trunk_id}/pin"): Case(body={"to": 1}),
    ("DELETE", "/v1/sip/trunks/{trunk_id}/pin"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/maintenance"): Case(body={"minutes": 60}),
    ("DELETE", "/v1/sip/trunks/{trunk_id}/maintenance"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/drill"): Case(
        body={"phone_number": VICTIMS_NUMBER, "seconds": 60}
    ),
    ("GET", "/v1/sip/trunks/{trunk_id}/drill"): Case(),
    ("DELETE", "/v1/sip/trunks/{trunk_id}/drill"): Case(),
    # Whoever has the number, for a stranger it is not configured.
    ("GET", "/v1/sip/status"): Case(
        query={"phone_number": VICTIMS_NUMBER}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/trunks/{trunk_id}/health"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/health/history"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/health/transitions"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/health/dns-changes"): Case(),
    ("GET", "/v1/sip/generate-password"): OWN_ONLY,
    ("GET", "/v1/sip/state"): OWN_ONLY,
    # The number is its holder's.
    ("PUT", "/v1/sip/state"): Case(
        body={
            "version": 1,
            "trunks": [],
            "numbers": [{"phone_numbers": [VICTIMS_NUMBER], "inbound": [{}]}],
        },
        statuses=frozenset({409}),
    ),
}
