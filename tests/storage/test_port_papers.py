"""Documents within a quota, letters of which the newest counts, links with one use, trails that chain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import date, timedelta

import pytest

from domain.porting import signature_trail
from domain.porting.signature_trail import SignatureAction, TrailEvent
from storage import port_documents, port_letters, port_seal_keys, port_signatures
from storage.engine import Database
from storage.ids import new_id
from storage.port_documents import Added, NewDocument, QuotaFull, Usage
from storage.port_seal_keys import SealKey
from storage.port_signatures import NewLink
from storage.secret_box import SecretBox, SecretBoxError, generate_key
from tests.storage.factories import NOON
from tests.storage.port_rows import MAILBOX, a_letter, placed, placed_letter

pytestmark = pytest.mark.postgres

MINUTE = timedelta(minutes=1)
MONTH = timedelta(days=30)
BOX = SecretBox.from_key_ring(generate_key("2026"))


def a_document(org_id: str, size: int = 100, *, minutes: int = 0) -> NewDocument:
    document_id = new_id("doc")
    return NewDocument(
        id=document_id,
        org_id=org_id,
        media_type="application/pdf",
        size=size,
        sha256="cd" * 32,
        name="bill \ud800.pdf",
        kind="bill",
        stored_key=f"documents/{document_id}",
        created_at=NOON + minutes * MINUTE,
        pages=2,
        document_date=date(2026, 11, 2),
    )


async def test_documents_are_counted_against_the_organizations_quota(
    database: Database, org_id: str, other_org_id: str
) -> None:
    first = a_document(org_id, 60)
    async with database.tenant(org_id) as session:
        assert await port_documents.add(session, first, max_files=2, max_size=100) == Added(1, 60)
        full = await port_documents.add(session, a_document(org_id, 41), max_files=2, max_size=100)
        assert full == QuotaFull(1, 60)
        second = a_document(org_id, 40, minutes=1)
        assert await port_documents.add(session, second, max_files=2, max_size=100) == Added(2, 100)
        full = await port_documents.add(session, a_document(org_id, 0), max_files=2, max_size=999)
        assert full == QuotaFull(2, 100)
        assert await port_documents.remove(session, first.id, now=NOON) == first.stored_key
        assert await port_documents.remove(session, first.id, now=NOON) is None
        assert await port_documents.usage(session, org_id) == Usage(1, 40)
        assert await port_documents.get(session, first.id) is None
        kept = await port_documents.get(session, second.id)
        assert await port_documents.get_each(session, [first.id, second.id]) == {second.id: kept}
    assert kept is not None
    assert (kept.name, kept.pages, kept.document_date) == ("bill �.pdf", 2, date(2026, 11, 2))
    async with database.tenant(other_org_id) as session:
        assert await port_documents.get(session, second.id) is None
        assert await port_documents.usage(session, other_org_id) == Usage(0, 0)


async def test_the_quota_holds_however_many_upload_at_once(database: Database, org_id: str) -> None:
    async def upload() -> type[Usage]:
        async with database.tenant(org_id) as session:
            return type(
                await port_documents.add(session, a_document(org_id), max_files=2, max_size=999)
            )

    made = await asyncio.gather(*(upload() for _ in range(5)))
    assert made.count(Added) == 2


async def test_documents_are_listed_the_newest_first(database: Database, org_id: str) -> None:
    made = [a_document(org_id, minutes=number // 2) for number in range(4)]
    async with database.tenant(org_id) as session:
        for each in made:
            await port_documents.add(session, each, max_files=9, max_size=999)
        seen: list[str] = []
        before = None
        while page := await port_documents.page(session, limit=3, before=before):
            seen += [each.id for each in page]
            before = (page[-1].created_at, page[-1].id)
    in_order = sorted(made, key=lambda each: (each.created_at, each.id), reverse=True)
    assert seen == [each.id for each in in_order]


async def test_the_newest_letter_counts(database: Database, org_id: str) -> None:
    order = await placed(database, org_id)
    first = await placed_letter(database, org_id, order.id)
    second = await placed_letter(database, org_id, order.id, 2, at=NOON + MINUTE)
    # A repetition, and one that comes too late, change nothing.
    assert (await placed_letter(database, org_id, order.id, 2)).id == second.id
    async with database.tenant(org_id) as session:
        assert await port_letters.add(session, a_letter("port_none")) is None
        assert await port_letters.newest(session, "port_none") is None
        assert (
            await port_letters.sign(
                session, first.id, sha256="ef" * 32, stored_key="signed", now=NOON
            )
            is None
        )
        signed = await port_letters.sign(
            session, second.id, sha256="ef" * 32, stored_key="signed", now=NOON + 2 * MINUTE
        )
        assert await port_letters.decline(session, second.id, now=NOON) is None
        assert await port_letters.decline(session, "loa_none", now=NOON) is None
        newest = await port_letters.newest(session, order.id)
        old = await port_letters.get(session, first.id)
    assert signed is not None
    assert (signed.signed_key, signed.signed_at) == ("signed", NOON + 2 * MINUTE)
    assert newest is not None
    assert newest.id == second.id
    assert old is not None
    assert old.superseded_at == NOON + MINUTE


async def test_a_letter_is_declined_once(database: Database, org_id: str) -> None:
    order = await placed(database, org_id)
    letter = await placed_letter(database, org_id, order.id)
    async with database.tenant(org_id) as session:
        declined = await port_letters.decline(session, letter.id, now=NOON)
        assert declined is not None
        assert declined.declined_at == NOON
        assert (
            await port_letters.sign(session, letter.id, sha256="", stored_key="", now=NOON) is None
        )


def a_link(loa_id: str, token: str, *, minutes: int = 0) -> NewLink:
    at = NOON + minutes * MINUTE
    return NewLink(
        token_sha256=token, loa_id=loa_id, email=MAILBOX, created_at=at, expires_at=at + MONTH
    )


async def test_a_new_link_takes_the_place_of_the_old_one(database: Database, org_id: str) -> None:
    order = await placed(database, org_id)
    letter = await placed_letter(database, org_id, order.id)
    async with database.tenant(org_id) as session:
        assert await port_signatures.issue(session, a_link("loa_none", "0")) is None
        first = await port_signatures.issue(session, a_link(letter.id, "1"))
        assert first is not None
        assert (first.org_id, first.email, first.invalidated_at) == (org_id, MAILBOX, None)
        second = await port_signatures.issue(session, a_link(letter.id, "2", minutes=1))
        again = await port_signatures.issue(session, a_link(letter.id, "2", minutes=5))
        assert second is not None
        assert again is not None
        assert again.created_at == second.created_at
    # Whoever opens a link has no key: its row says whose it is.
    async with database.system() as session:
        assert await port_signatures.use(session, "1", now=NOON + MINUTE) is None
        assert not await port_signatures.open_link(session, "1", now=NOON + MINUTE)
        found = await port_signatures.find(session, "2")
        assert found is not None
        assert found.org_id == org_id
        links = await port_signatures.links_of(session, order.id)
    assert [each.invalidated_at for each in links] == [NOON + MINUTE, None]


async def test_a_link_is_used_once(database: Database, org_id: str) -> None:
    order = await placed(database, org_id)
    letter = await placed_letter(database, org_id, order.id)
    async with database.tenant(org_id) as session:
        await port_signatures.issue(session, a_link(letter.id, "1"))
        assert await port_signatures.open_link(session, "1", now=NOON)
        assert not await port_signatures.open_link(session, "1", now=NOON)

    async def use() -> bool:
        async with database.system() as session:
            return await port_signatures.use(session, "1", now=NOON + MINUTE) is not None

    assert sorted(await asyncio.gather(use(), use(), use())) == [False, False, True]
    async with database.system() as session:
        assert await port_signatures.invalidate(session, order.id, now=NOON) == 0
        link = await port_signatures.find(session, "1")
    assert link is not None
    assert (link.opened_at, link.used_at, link.invalidated_at) == (NOON, NOON + MINUTE, None)


async def test_a_link_ends(database: Database, org_id: str) -> None:
    order = await placed(database, org_id)
    letter = await placed_letter(database, org_id, order.id)
    async with database.tenant(org_id) as session:
        await port_signatures.issue(session, a_link(letter.id, "1"))
        assert await port_signatures.use(session, "1", now=NOON + MONTH) is None
        assert await port_signatures.find(session, "9") is None


def an_event(action: SignatureAction, **fields: str) -> TrailEvent:
    return TrailEvent(action=action, at=NOON, actor="Jané Döe", email=MAILBOX, **fields)


async def test_a_trail_chains_what_is_stored(database: Database, org_id: str) -> None:
    order = await placed(database, org_id)
    letter = await placed_letter(database, org_id, order.id)
    async with database.tenant(org_id) as session:
        for event in (
            an_event(SignatureAction.LINK_SENT),
            an_event(SignatureAction.LINK_OPENED, user_agent="Mozilla\x00 电话"),
        ):
            assert await port_signatures.append(session, letter.id, event) is not None
        assert await port_signatures.append(session, "loa_none", event) is None
    async with database.tenant(org_id) as session:
        entries = await port_signatures.trail(session, letter.id)
    assert [each.seq for each in entries] == [1, 2]
    assert entries[1].event.user_agent == "Mozilla� 电话"
    assert signature_trail.first_break(entries) is None


async def test_a_trail_is_one_chain_however_many_add_to_it(database: Database, org_id: str) -> None:
    order = await placed(database, org_id)
    letter = await placed_letter(database, org_id, order.id)

    async def add() -> None:
        async with database.tenant(org_id) as session:
            await port_signatures.append(
                session, letter.id, an_event(SignatureAction.DOCUMENT_VIEWED)
            )

    await asyncio.gather(*(add() for _ in range(5)))
    async with database.tenant(org_id) as session:
        entries = await port_signatures.trail(session, letter.id)
    assert len(entries) == 5
    assert signature_trail.first_break(entries) is None


async def test_all_processes_seal_with_the_same_key(database: Database) -> None:
    def a_key(name: str, minutes: int = 0) -> SealKey:
        return SealKey(
            id=f"psk_{name}",
            key_pem=f"private {name}".encode(),
            certificate_pem=f"certificate {name}",
            created_at=NOON + minutes * MINUTE,
        )

    def keep(name: str) -> Awaitable[SealKey]:
        async def kept() -> SealKey:
            async with database.system() as session:
                return await port_seal_keys.keep_first(session, BOX, a_key(name))

        return kept()

    async with database.system() as session:
        assert await port_seal_keys.newest(session, BOX) is None
    one, two = await asyncio.gather(keep("a"), keep("b"))
    assert one == two
    assert "private" not in repr(one)
    async with database.system() as session:
        await port_seal_keys.add(session, BOX, a_key("c", 1))
        assert await port_seal_keys.newest(session, BOX) == a_key("c", 1)
        assert await port_seal_keys.certificates(session) == ["certificate c", one.certificate_pem]
        with pytest.raises(SecretBoxError):
            await port_seal_keys.newest(session, SecretBox.from_key_ring(generate_key("2025")))
