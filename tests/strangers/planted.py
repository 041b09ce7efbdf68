"""A customer who plants secrets in every field that takes one, and then lets everything happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from psycopg.conninfo import conninfo_to_dict

from lab import Lab
from lab.behaviour import CertificateKind
from lab.certificates import Authority
from local.process import ManagedProcess
from storage.engine import libpq_url
from storage.secret_box import generate_key
from storage.tables import Role
from tests.api.tenants import Tenant, make_tenant
from tests.support.canaries import SHOWS_A_SECRET, Recorder, canary
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import TestDatabase
from tests.support.product import ApiProcess, Customer, Product, open_product
from tests.support.temporal import TemporalServer

__all__ = ["NUMBERS", "Planted", "planted_product"]

NUMBERS = tuple(f"+1415555{each:04}" for each in range(1000, 1008))


@dataclass(slots=True)
class Planted:
    """The product, its customer, and what must not come out again: secrets by name."""

    product: Product
    api: ApiProcess
    tenant: Tenant
    customer: Customer
    recorder: Recorder
    lab: Lab
    worker: ManagedProcess
    secrets: dict[str, str] = field(default_factory=dict)
    call_ids: list[str] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, *, role: Role = Role.EDITOR, **request: Any
    ) -> httpx.Response:
        """Call the API with the key of a role."""
        headers = {**self.tenant.as_(role), **request.pop("headers", {})}
        return await self.customer.http.request(
            method, f"{self.api.url}{path}", headers=headers, **request
        )

    async def shown(self, name: str, path: str, *place: str, **request: Any) -> httpx.Response:
        """Ask for something that shows a secret this once, which is planted with that."""
        answer = await self.ask("POST", path, extensions=SHOWS_A_SECRET, **request)
        assert answer.is_success, answer.text
        found = answer.json()["data"]
        for each in place:
            found = found[each]
        self.secrets[name] = found
        return answer

    async def configure(self) -> None:
        """Set every secret that the API takes, and have it make every secret that it makes."""
        org_id = self.tenant.org_id
        here = f"/v1/organizations/{org_id}"
        once = {"Idempotency-Key": "once"}
        for _ in range(2):
            # The second answer is the kept one.
            await self.shown(
                "signing secret",
                f"{here}/signing-secret",
                "signing_secret",
                role=Role.OPERATOR,
                headers=once,
            )
        await self.shown(
            "API key",
            f"{here}/keys",
            "api_key",
            role=Role.OPERATOR,
            json={"name": "canary", "role": "viewer"},
        )
        self.secrets |= {f"{role.value}'s key": key for role, key in self.tenant.keys.items()}
        inbound = {
            "type": "inbound",
            "auth_mode": "register",
            "register_auth": {"username": "canary-pbx", "password": self.plant("register")},
        }
        await self.shown(
            "password for the PBX",
            "/v1/sip/attach",
            "register_password_for_pbx",
            json={"phone_number": NUMBERS[0], "directions": [inbound], "service": "sip"},
        )
        await self._configure_trunk()

    async def _configure_trunk(self) -> None:
        peer = self.lab.peers["kamailio"].address
        authority = Authority.open(self.product.folder / "certificates")
        pair = authority.server_pair("canary", peer, CertificateKind.VALID)
        key = pair.key.read_text(encoding="ascii")
        self.secrets["client key"] = key.splitlines()[2]
        trunk = {
            "name": "Canary",
            "direction": "both",
            "sip_endpoint": f"sip:{peer}",
            "auth_mode": "register",
            "register_auth": {"username": "canary", "password": self.plant("trunk's register")},
            "options": {
                "sip_username": "canary",
                "sip_password": self.plant("trunk's call"),
                "client_certificate": pair.certificate.read_text(encoding="ascii"),
                "client_key": key,
            },
        }
        made = await self.shown(
            "trunk's password for the PBX",
            "/v1/sip/trunks",
            "register_password_for_pbx",
            json=trunk,
        )
        where = f"/v1/sip/trunks/{made.json()['data']['trunk_id']}"
        options = {"sip_password": self.plant("trunk's new")}
        changed = await self.ask("PATCH", where, json={"options": options})
        assert changed.status_code == 200, changed.text
        tested = await self.ask("POST", f"{where}/test-connection")
        assert tested.status_code == 200, tested.text
        document = (await self.ask("GET", "/v1/sip/state")).json()["data"]
        (written,) = document["trunks"]
        changed_password = self.plant("trunk's password in a document")
        written["options"]["sip_password"] = changed_password
        for dry_run in ("true", "false"):
            applied = await self.ask(
                "PUT", "/v1/sip/state", params={"dry_run": dry_run}, json=document
            )
            assert applied.status_code == 200, applied.text

    def plant(self, name: str) -> str:
        self.secrets[name] = canary(name.replace(" ", "-"))
        return self.secrets[name]

    async def be_refused(self) -> None:
        """Send secrets in requests that are wrong, each in another way."""
        number = NUMBERS[1]

        def outbound(endpoint: str = "sip:pbx.example.com", **options: Any) -> dict[str, Any]:
            direction = {"type": "outbound", "sip_endpoint": endpoint, "options": options}
            return {"phone_number": number, "directions": [direction], "service": "sip"}

        bodies = [
            outbound(sip_username="a", sip_password=self.plant("password with a break") + "\n"),
            outbound(sip_username="a", sip_password=self.plant("password too long") * 20),
            outbound(sip_username="a", sip_password=[self.plant("password in a list")]),
            outbound(sip_password=self.plant("password without a user")),
            outbound(sip_passwort=self.plant("password in an unknown field")),
            outbound(f"sip:a:{self.plant('password of a bad endpoint')}@no host"),
            outbound(f"sip:a:{self.plant('password of one of two')}@a.test, sip:b@b.test"),
            outbound(f"sip:a@b:{self.plant('password behind two signs')}@a.test"),
            outbound(ca_pem=f"-----BEGIN PRIVATE KEY-----\n{self.plant('private key')}\n"),
            {**outbound(), "register_auth": {"password": self.plant("password out of place")}},
        ]
        for body in bodies:
            refused = await self.ask("POST", "/v1/sip/attach", json=body)
            assert refused.status_code == 400, refused.text
        half = f'{{"sip_password": "{self.plant("password in half a body")}'
        refused = await self.ask("POST", "/v1/sip/attach", content=half)
        assert refused.status_code == 400, refused.text
        unknown = {"Authorization": f"Bearer {self.plant('unknown key')}"}
        assert (await self.ask("GET", "/v1/me", headers=unknown)).status_code == 401
        await self.ask("GET", "/v1/me", params={"api_key": self.plant("key in a query")})

    async def discover(self) -> None:
        """Look at a peer whose address was given with a password, as people paste it."""
        peer = self.lab.peers["kamailio"]
        pasted = f"sip:alice:{self.plant('password of a pasted address')}@{peer.address}"
        answer = await self.customer.discover(pasted)
        assert answer.status_code == 200, answer.text
        view = await self.customer.ended(answer.json()["data"]["discovery_id"], seconds=30)
        assert view["status"] == "completed"
        read = await self.ask("POST", "/v1/sip/parse-destination", json={"input": pasted})
        assert read.json()["data"]["valid"]

    async def look_at_everything(self) -> None:
        """Read all that the API tells afterwards, with the key that is told most."""
        org_id = self.tenant.org_id
        paths = [
            *(f"/v1/sip?phone_number={quote(number)}" for number in NUMBERS),
            *(f"/v1/sip/outbound-setup?phone_number={quote(number)}" for number in NUMBERS[2:3]),
            *(
                "/v1/sip/numbers",
                "/v1/sip/trunks",
                "/v1/sip/state",
                "/v1/sip/audit?limit=100",
                "/v1/sip/providers",
            ),
            *(f"/v1/organizations/{org_id}{more}" for more in ("", "/keys")),
            *("/v1/me", "/metrics", "/readyz", "/openapi.json"),
        ]
        for call_id in self.call_ids:
            paths.append(f"/v1/sip/test-call/status?call_id={call_id}")
            whats = ("trace", "pcap", "pcap?link=raw", "ladder.svg", "ladder.mmd", "events")
            paths += [f"/v1/sip/test-call/{call_id}/{what}" for what in whats]
        listed = await self.ask("GET", "/v1/sip/trunks", role=Role.OPERATOR)
        for trunk in listed.json()["data"]["trunks"]:
            paths.append(f"/v1/sip/trunks/{trunk['trunk_id']}")
            paths += [f"{paths[-1]}/snippet?for={name}" for name in ("asterisk", "freeswitch")]
        for path in paths:
            answer = await self.ask("GET", path, role=Role.OPERATOR)
            assert answer.status_code < 500, answer.text


@asynccontextmanager
async def planted_product(
    folder: Path,
    database_urls: TestDatabase,
    temporal: TemporalServer,
    loopback: LoopbackBlock,
    *,
    collector: str,
) -> AsyncIterator[Planted]:
    """The product over this database and Temporal, which both are its own, telling all it can."""
    ring = generate_key("canary")
    recorder = Recorder()
    lab_folder = folder / "lab"
    lab_folder.mkdir()
    async with (
        Lab(new_lab_network(loopback), lab_folder, ("kamailio", "tls-srtp")) as lab,
        httpx.AsyncClient(timeout=60, event_hooks=recorder.hooks) as http,
        open_product(
            folder,
            database_urls,
            temporal,
            TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8",
            TRUNKLINE_OTLP_ENDPOINT=collector,
            TRUNKLINE_LOG_LEVEL="debug",
            TRUNKLINE_SECRET_KEYS=ring,
        ) as product,
    ):
        tenant = await make_tenant(product.database)
        api, worker = await asyncio.gather(product.start_api(), product.start_worker())
        customer = Customer(tenant.org_id, tenant.keys[Role.EDITOR], api.url, http, product.logs)
        planted = Planted(product, api, tenant, customer, recorder, lab, worker)
        planted.secrets["key of the ring"] = ring.partition(":")[2]
        password = conninfo_to_dict(libpq_url(database_urls.app_url)).get("password")
        if password:
            planted.secrets["database password"] = str(password)
        yield planted
