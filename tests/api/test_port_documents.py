"""Documents: taken by their content, bounded, counted, given back as attachments, kept with orders."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import select

from papers.uploads import MAX_UPLOAD_BYTES
from storage.engine import Database
from storage.tables import PortDocument
from tests.api.calling import Caller
from tests.api.ported import Porter
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres

URL = "/v1/sip/port/document"


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(made, "PNG")
    return made.getvalue()


async def upload(
    client: httpx.AsyncClient,
    tenant: Tenant,
    content: bytes | None = None,
    name: str = "bill.png",
    fields: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    return await client.post(
        URL,
        files={"file": (name, picture() if content is None else content)},
        data=fields or {},
        headers={**tenant.editor, **(headers or {})},
    )


async def test_a_document_is_kept_and_given_back_as_an_attachment(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await upload(
        client,
        tenant,
        fields={"kind": "customer_service_record", "document_date": "2026-11-01"},
    )
    assert answer.status_code == 200, answer.text
    kept = answer.json()["data"]
    assert kept["document_sid"].startswith("doc_")
    assert (kept["kind"], kept["media_type"], kept["document_date"]) == (
        "customer_service_record",
        "image/png",
        "2026-11-01",
    )
    back = await client.get(f"{URL}/{kept['document_sid']}", headers=tenant.viewer)
    assert back.headers["content-type"] == "application/octet-stream"
    assert back.headers["content-disposition"].startswith("attachment;")
    assert back.headers["x-content-type-options"] == "nosniff"
    assert len(back.content) == kept["size"]
    assert Image.open(io.BytesIO(back.content)).size == (8, 8)


@pytest.mark.parametrize(
    ("content", "name"), [(b"MZ\x90\x00", "bill.pdf"), (None, "bill.pdf"), (b"", "bill.png")]
)
async def test_a_file_that_is_not_what_it_says_is_refused(
    client: httpx.AsyncClient,
    tenant: Tenant,
    content: bytes | None,
    name: str,
) -> None:
    answer = await upload(client, tenant, content, name)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["error"] == "INVALID_FILE_TYPE"


@pytest.mark.parametrize("extra", [1, 200_000])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "upload"}], ids=["bare", "keyed"])
async def test_a_file_that_is_too_large_is_refused_however_it_comes(
    client: httpx.AsyncClient, tenant: Tenant, extra: int, headers: dict[str, str]
) -> None:
    answer = await upload(client, tenant, b"\0" * (MAX_UPLOAD_BYTES + extra), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["error"] == "FILE_TOO_LARGE"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"kind": "poem"}, "kind"),
        ({"document_date": "yesterday"}, "document_date"),
    ],
)
async def test_a_form_that_is_wrong_is_refused_where_it_is(
    client: httpx.AsyncClient, tenant: Tenant, fields: dict[str, str], field: str
) -> None:
    answer = await upload(client, tenant, fields=fields)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


async def test_a_body_that_is_no_form_or_has_no_file_is_refused(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    wrong: list[dict[str, Any]] = [
        {"json": {}},
        {"data": {"file": "text"}},
        {"files": {"kind": (None, "bill")}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ]
    for options in wrong:
        headers = {**tenant.editor, **options.pop("headers", {})}
        answer = await client.post(URL, headers=headers, **options)
        assert answer.status_code == 400, answer.text


async def test_an_organization_keeps_no_more_than_its_quota(
    app: FastAPI, client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    Caller(client, tenant, app, database, None).change_settings(  # type: ignore[arg-type]
        document_quota_files=1
    )
    assert (await upload(client, tenant)).status_code == 200
    answer = await upload(client, tenant)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["error"] == "DOCUMENT_QUOTA_EXCEEDED"
    async with database.tenant(tenant.org_id) as session:
        assert len(list(await session.scalars(select(PortDocument)))) == 1


async def test_a_document_goes_unless_an_order_has_it(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    porter = Porter(client, tenant, database)
    free, used = [(await upload(client, tenant)).json()["data"]["document_sid"] for _ in range(2)]
    order_id = await porter.placed(documents=[used])
    refused = await client.delete(f"{URL}/{used}", headers=tenant.editor)
    [error] = refused.json()["errors"]
    assert (refused.status_code, error["error"]) == (409, "DOCUMENT_IN_USE")
    assert error["order_id"] == order_id
    assert (await client.delete(f"{URL}/{free}", headers=tenant.editor)).status_code == 200
    for method in ("GET", "DELETE"):
        gone = await client.request(method, f"{URL}/{free}", headers=tenant.editor)
        assert gone.status_code == 404


async def test_the_same_upload_with_its_key_is_kept_once(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = head + picture() + b"\r\n--x--\r\n"
    headers = {
        **tenant.editor,
        "Idempotency-Key": "bill-7",
        "Content-Type": "multipart/form-data; boundary=x",
    }
    first, second = [await client.post(URL, headers=headers, content=body) for _ in range(2)]
    assert first.status_code == 200, first.text
    assert first.json() == second.json()
