"""Rows for the tests: a notice, a bounce of it, a decision because of it."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.wiki import Unconfirm
from sidecar.storage import ledger, outbox
from sidecar.storage.outbox import Because

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def notice(number: int = 1, received: datetime = T0, aside: str = "") -> ledger.Notice:
    path = f"wiki-enwiki-7-{number}-k@bounces.example.org"
    return ledger.Notice(path, b"Subject: Undelivered\n\nno", received, "bounce", aside)


def bounce(sent: datetime = T0, *, hard: bool = True, user_id: int = 7, tag: str = "a1b2c3") -> ledger.Bounce:
    return ledger.Bounce(
        wiki="enwiki",
        user_id=user_id,
        sent=sent,
        tag=tag,
        key_id="0123abcd",
        received=sent + timedelta(seconds=3),
        category="user-unknown" if hard else "mailbox-full",
        hard=hard,
        status="5.1.1" if hard else "4.2.2",
        rule="no-such-user" if hard else "quota",
        domain="example.com",
    )


def owe(
    connection: sa.Connection,
    wiki: str = "enwiki",
    user_id: int = 7,
    now: datetime = T0,
    shadow: bool = False,
) -> int:
    """An action because of one bounce of its own."""
    notice_id = ledger.append(connection, notice(hash((wiki, user_id, now)), now))
    assert notice_id is not None
    assert ledger.book(connection, notice_id, bounce(now, user_id=user_id, tag=wiki[:6]))
    [[because]] = connection.execute(sa.text("SELECT max(id) FROM bounce"))
    action = Unconfirm(wiki, user_id, now, "1 hard bounce (user-unknown)")
    return outbox.enqueue(connection, action, Because([because]), now, shadow=shadow)
