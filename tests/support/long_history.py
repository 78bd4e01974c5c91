"""A history of any length, filled in bulk: as after three months of a wiki's mail.

Knows rows and how they are spread. Does not know who looks at them. The same every time.
"""

import random
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.vitals import Ailment, NodeSign
from sidecar.storage import brakes, circuits, nodes, rates, schema
from sidecar.storage.circuits import Standing

__all__ = ["add_brake", "add_troubles", "fill"]

DAYS = 90
CHUNK = 50_000
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
#: Category, whether it counts, status; then how often.
CATEGORIES = {
    ("user-unknown", True, "5.1.1"): 40,
    ("mailbox-full", False, "4.2.2"): 22,
    ("policy", False, "5.7.1"): 12,
    ("mailbox-disabled", True, "5.2.1"): 9,
    ("host-unknown", True, "5.1.2"): 7,
    ("temporary", False, "4.4.1"): 6,
    ("undefined", False, ""): 4,
}
PROVIDERS = {
    "google.com": 35, "outlook.com": 22, "yahoodns.net": 12, "mail.ru": 7, "gmx.net": 5, "web.de": 4,
    "icloud.com": 4, "qq.com": 3, "protonmail.ch": 2, "t-online.de": 2, "seznam.cz": 1, "": 2,
    "one.example": 1,
}  # fmt: skip
#: A mail that nobody understands: with a long line, markup, and a part that is no text.
STRANGE = (
    b"""Received: from mx.example.com (mx.example.com [192.0.2.1]) by mx1.example.org; Thu, 19 Nov 2026
From: Mail <mailer@example.com>
Subject: =?utf-8?q?Zustellung_nicht_m=C3=B6glich?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Ihre Nachricht wurde nicht angenommen.
https://mail.example.com/why?"""
    + b"x" * 300
    + b"""
--b
Content-Type: text/html

<p>Your message was <b>not</b> taken.</p><img src="https://tracker.example/pixel.gif">
--b
Content-Type: image/png
Content-Transfer-Encoding: base64

aGVsbG8=
--b--
"""
)
BOUNCES = """
INSERT INTO bounce
  (notice_id, wiki, user_id, sent, tag, key_id, received, category, hard, status, rule, domain, provider)
VALUES (1, ?1, ?2, ?3, ?4, 'k', ?5, ?6, ?7, ?8, 'r', 'example.com', ?9)
"""
ACTIONS = """
INSERT INTO action
  (wiki, user_id, kind, confirmed_before, reason, state, created, due, attempts, error, settled, effect,
   fingerprint, forget_until)
SELECT wiki, user_id, CASE id % 3 WHEN 0 THEN 'warn' ELSE 'unconfirm' END, sent, '3 hard bounces in 8 days',
  'done', received, received, 1, '', received, CASE id % 3 WHEN 0 THEN 'warned' ELSE 'unconfirmed' END, '',
  sent
FROM bounce WHERE hard AND id % 7 = 0
"""


def fill(
    connection: sa.Connection, bounces: int, now: datetime, wikis: tuple[str, ...] = ("enwiki", "dewiki")
) -> None:
    """An SQLite history of so many bounces up to *now*: with actions, sums of its days, and a daemon."""
    said = {"fingerprint": "f", "received": now, "return_path": "p", "kind": "bounce", "aside": ""}
    connection.execute(schema.notice.insert().values(id=1, **said))
    rows: list[tuple[object, ...]] = []
    for row in _bounces(bounces, now, wikis):
        rows.append(row)
        if len(rows) == CHUNK:
            connection.exec_driver_sql(BOUNCES, rows)
            rows.clear()
    if rows:
        connection.exec_driver_sql(BOUNCES, rows)
    connection.exec_driver_sql(ACTIONS)
    for back in range(1, DAYS + 1):
        day = (now - back * DAY).date()
        rates.close(connection, day, rates.sums(connection, day))
    signed = {(wiki, now.date()): 40 + bounces // 3 for wiki in wikis}
    rates.add_signed(connection, "mx1", signed)
    started, signed_last = now - 12 * DAY, now - timedelta(seconds=40)
    sign = NodeSign("mx1", "issue, take, act", "0.1.0", started, now, None, signed_last, True, 48 * 2**30)
    nodes.put(connection, sign)


def add_brake(connection: sa.Connection, now: datetime) -> None:
    """It holds what is owed to a provider's users; a little of others waits."""
    said = {"kind": "unconfirm", "reason": "3 hard bounces in 8 days", "state": "waiting", "attempts": 0}
    for user in range(19):
        wiki, provider = ("enwiki", "dewiki")[user % 2], "outlook.com" if user < 17 else "gmx.net"
        row = {**said, "wiki": wiki, "user_id": user + 1, "provider": provider, "open_for": f"{wiki}:{user}"}
        row |= {"created": now - 3 * HOUR, "due": now + HOUR, "confirmed_before": now - 9 * DAY}
        row |= {"error": "", "effect": "", "fingerprint": ""}
        connection.execute(schema.action.insert().values(row))
    why = "112 users of outlook.com failed within an hour; 4 usually do"
    brakes.trip(connection, "outlook.com", "", why, now - 2 * HOUR, since=now - 3 * HOUR, hold_from=None)


def add_troubles(connection: sa.Connection, now: datetime) -> None:
    """A brake, a wiki that refuses the login, mail set aside, and a canary that was lost."""
    add_brake(connection, now)
    trouble = "the bot password was refused: <b>make a new one</b> at Special:BotPasswords"
    failing = Standing("dewiki", 5, now + HOUR, trouble, now, "bot", Ailment.LOGIN, now - 5 * HOUR)
    circuits.put(connection, failing)
    for number in range(7):
        aside = f"no rule knew it {number}"
        row = {"fingerprint": aside, "received": now - 3 * DAY, "return_path": "p", "kind": "bounce"}
        connection.execute(schema.notice.insert().values(aside=aside, raw=zlib.compress(STRANGE), **row))
    said = {"fingerprint": "last", "received": now, "return_path": "p", "kind": "bounce", "aside": ""}
    connection.execute(schema.notice.insert().values(**said))
    lost = {"node": "mx1", "token": "t", "error": ""}
    connection.execute(schema.canary.insert().values(sent=now - HOUR, **lost))


def _bounces(number: int, now: datetime, wikis: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    chance, now = random.Random(number), now.replace(tzinfo=None)
    kinds = chance.choices(list(CATEGORIES), list(CATEGORIES.values()), k=number)
    providers = chance.choices(list(PROVIDERS), list(PROVIDERS.values()), k=number)
    for at in range(number):
        # More of them lately, fewer at night: as mail comes.
        ago = (DAYS - 1) * DAY * (1 - ((at + 0.999) / number) ** 0.8) + 4 * HOUR * chance.random()
        received, (category, hard, status) = now - ago, kinds[at]
        sent = received - timedelta(minutes=1 + 30 * chance.random())
        wiki = wikis[chance.random() < 0.3 and len(wikis) > 1]
        tag = f"{at % 2**24:06x}"
        yield (
            wiki, 1000 + at // 3, _text(sent), tag, _text(received), category, hard, status, providers[at]
        )  # fmt: skip


def _text(time: datetime) -> str:
    return time.isoformat(" ", "microseconds")
