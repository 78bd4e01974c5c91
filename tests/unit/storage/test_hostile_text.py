"""A mail may say anything. Each database keeps the same of it, and refuses nothing for ever."""

import email.header
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.services.receipt import Receipt
from sidecar.storage import audit, ledger, schema
from sidecar.storage.database import Database
from tests.unit.services.house import HARD, House

from .rows import T0, bounce, notice, owe

LOOK_ALIKES = [
    "straße", "strasse", "STRASSE", "straſse", "e\u0301t", "ét ", "ét", "ET", "et", "et\t", "Et",
    "ı", "i", "I", "İ", "Ⅳ", "iv", "ﬁ", "fi", "𝒳", "x", "🤷", "🤷🏽", "", " ", "\u00a0", "\u200b",
    "a\u200b", "a",
]  # fmt: skip
HOSTILE = st.text(
    st.characters() | st.sampled_from("\0\ud800\udfff\ufffe\U0010ffff\\'\"%_;\x1a\r\n🤷ß "), max_size=700
)


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    house = House(database)
    yield house
    house.close()


def kept(connection: sa.Connection, text: str) -> tuple[str, str]:
    """What comes back of a text as a reason (500) and as a domain (255)."""
    row = {"received": T0, "return_path": text, "kind": "bounce", "raw": None, "fingerprint": text[:64]}
    connection.execute(sa.delete(schema.notice))
    connection.execute(schema.notice.insert().values(aside=text, domain=text, **row))
    return tuple(connection.execute(sa.select(schema.notice.c.aside, schema.notice.c.domain)).one())


def expected(text: str, length: int) -> str:
    plain = text.replace("\0", "\ufffd")
    return "".join("?" if "\ud800" <= letter <= "\udfff" else letter for letter in plain)[:length]


async def test_any_text_comes_back_as_far_as_there_is_room(database: Database) -> None:
    tried: list[str] = ["🤷" * 700, "\0" * 700, "\ud83e\udd37" * 400, "a\0", " ", "a ", "\\", "'", "\x1a"]

    @settings(max_examples=60, deadline=None, database=None)
    @given(HOSTILE)
    def gather(text: str) -> None:
        tried.append(text)

    gather()
    for text in tried:
        found = await database.write(lambda c, text=text: kept(c, text))  # type: ignore[misc]
        assert found == (expected(text, 500), expected(text, 255))


async def test_the_audit_keeps_of_any_words_what_there_is_room_for(database: Database) -> None:
    """Of those that are entered one by one, and of those entered for many actions at once."""
    said = "\0\ud83e" + "🤷" * 700

    def enter(connection: sa.Connection) -> list[str]:
        action_id = owe(connection)
        connection.execute(sa.delete(schema.event))
        audit.tell(connection, T0, "told", said)
        audit.tell_of(connection, action_id, bounce(), T0, "told", said)
        audit.tell_each(connection, schema.action.c.id == action_id, T0, "told", said)
        return list(connection.execute(sa.select(schema.event.c.detail)).scalars())

    assert await database.write(enter) == [expected(said, 500)] * 3


async def test_what_looks_alike_is_not_the_same(database: Database) -> None:
    def enter(connection: sa.Connection) -> list[str]:
        for name in LOOK_ALIKES:
            connection.execute(schema.account.insert().values(wiki=name, user_id=7))
        wikis = sa.select(schema.account.c.wiki)
        for name in LOOK_ALIKES:
            assert connection.execute(wikis.where(schema.account.c.wiki == name)).scalars().all() == [name]
        return sorted(connection.execute(wikis).scalars())

    assert await database.write(enter) == sorted(LOOK_ALIKES)


async def test_failures_of_wikis_whose_ids_look_alike_are_kept_apart(database: Database) -> None:
    def enter(connection: sa.Connection) -> list[int]:
        for number, wiki in enumerate(LOOK_ALIKES):
            notice_id = ledger.append(connection, notice(number))
            assert notice_id
            assert ledger.book(connection, notice_id, ledger.Bounce(**{**vars(bounce()), "wiki": wiki}))
        return [len(ledger.of_user(connection, wiki, 7)) for wiki in LOOK_ALIKES]

    assert await database.write(enter) == [1] * len(LOOK_ALIKES)


async def test_what_a_database_gives_back_is_sorted_alike_everywhere(database: Database) -> None:
    """By code point."""

    def enter(connection: sa.Connection) -> list[str]:
        for name in LOOK_ALIKES:
            connection.execute(schema.tally.insert().values(provider=name, slot=T0, users=1))
        query = sa.select(schema.tally.c.provider).order_by(schema.tally.c.provider)
        return list(connection.execute(query).scalars())

    assert await database.write(enter) == sorted(LOOK_ALIKES)


def reports() -> st.SearchStrategy[bytes]:
    """HARD, with anything in the places that are read."""
    octets = st.binary(max_size=60) | HOSTILE.map(lambda text: text.encode(errors="surrogatepass"))
    encoded = HOSTILE.map(
        lambda text: (
            email.header.Header(text[:60].encode(errors="replace").decode(), "utf-8").encode().encode()
        )
    )
    words = st.lists(st.tuples(st.sampled_from(PLACES), octets | encoded), min_size=1, max_size=4)

    def put(changes: list[tuple[bytes, bytes]]) -> bytes:
        raw = HARD.raw
        for place, said in changes:
            raw = raw.replace(place, place + said.replace(b"\n", b" ").replace(b"\r", b" "))
        return raw

    return words.map(put)


PLACES = [
    b"Diagnostic-Code: ",
    b"Status: ",
    b"Reporting-MTA: ",
    b"Remote-MTA: ",
    b"Subject: ",
    b"From: ",
    b"dns; ",
]


async def test_no_mail_is_refused_for_what_it_says(house: House) -> None:
    mails: list[bytes] = []

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(reports() | st.binary(max_size=300).map(lambda said: HARD.raw + said))
    def gather(raw: bytes) -> None:
        mails.append(raw)

    gather()
    for user, raw in enumerate(mails, 1):
        assert await house.take(raw, house.path(user)) in (Receipt.TAKEN, Receipt.SET_ASIDE)
        assert await house.take(raw, house.path(user)) is Receipt.DUPLICATE
