"""What a decision costs beside histories of different lengths, in one run.

Knows how to fill a SQLite file in bulk, and times `consider` on each of them in turns. Asserts nothing.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from types import TracebackType

import sqlalchemy as sa

from sidecar.domain.brake import Limits
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.services.decision import consider
from sidecar.storage import schema, upgrading
from sidecar.storage.ledger import Bounce
from tests.bench.figures import OURS, Line, Measure, Section
from tests.bench.settings import Settings, rounds_of

__all__ = ["measure"]

PART = "decisions"
T0 = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NOW = T0 + timedelta(days=20)
OF_EACH = 4  # failures of each of the others
DAYS = 10  # over which the failures of the one whose history is long are spread
POLICY = Policy(Streak(), Mode.ENFORCE)
USERS = {"of a user with four, ms": 7, "of the user who has them all, ms": 8}
SHORT, LONG = USERS.values()
MEASURES = [Measure(name, "less", 2) for name in USERS]
TOLD = """\
Reading a user's history and deciding, in the transaction that books a bounce, on SQLite: in histories of so
many bounces of others, with actions and sends, and as many of one user. x is how many times the shortest
one."""

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count} - 1)"
BOUNCES = """
INSERT INTO bounce
  (notice_id, wiki, user_id, sent, tag, key_id, received, category, hard, status, rule, domain)
{numbers}
SELECT 1, 'enwiki', {user}, {sent}, 'a1b2c3', 'k', {sent}, 'user-unknown', 1, '5.1.1', 'r', 'example.com'
FROM numbers
"""
ACTIONS = f"""
INSERT INTO action
  (wiki, user_id, kind, confirmed_before, reason, state, created, due, attempts, error, settled, effect,
   fingerprint, forget_until)
SELECT wiki, user_id, 'unconfirm', sent, '', 'done', sent, sent, 1, '', sent, 'unconfirmed', '', sent
FROM bounce WHERE user_id > 1000 AND id % {OF_EACH} = 0
"""
SENDS = """
INSERT INTO send
SELECT wiki, user_id, datetime(sent, '+1 hour') || '.000000', tag, key_id FROM bounce WHERE user_id > 1000
"""


def measure(settings: Settings) -> Iterator[Section]:
    """A table: histories of a thousand bounces, ten thousand, ..."""
    with ExitStack() as stack:
        histories = [stack.enter_context(History(size)) for size in settings.sizes()]
        for history in histories:
            history.times()  # what is compiled at first use
        passes = {history.bounces: partial(history.times) for history in histories}
        taken = rounds_of(passes, settings.rounds)
    lines = [Line(f"{size:,} bounces", OURS, rounds) for size, rounds in taken.items()]
    yield Section(PART, "A decision", TOLD, MEASURES, lines, "case")


class History:
    """A database of its own with so many bounces twice: of everybody, and of one user."""

    def __init__(self, bounces: int) -> None:
        self.bounces = bounces
        self._folder = tempfile.TemporaryDirectory(prefix="bounce-bench-", dir="/var/tmp")
        path = Path(self._folder.name) / "history.db"
        self._engine = sa.create_engine(f"sqlite:///{path}")

    def __enter__(self) -> "History":
        with self._engine.begin() as connection:
            upgrading.upgrade(connection)
            self._fill(connection)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._engine.dispose()
        self._folder.cleanup()

    def times(self) -> dict[str, float]:
        """Milliseconds that a decision of each user takes."""
        return {name: self._time(user_id) * 1e3 for name, user_id in USERS.items()}

    def _time(self, user_id: int) -> float:
        """Seconds that one decision takes; it is taken back."""
        failure = Bounce("enwiki", user_id, NOW, "a1b2c3", "k", NOW, "user-unknown", True, "5.1.1", "r", "")
        with self._engine.connect() as connection:
            begin = perf_counter()
            owing = consider(connection, failure, {failure.wiki: POLICY}, Limits(), NOW, NOW)
            taken = perf_counter() - begin
            assert owing.action_id is not None
            connection.rollback()
        return taken

    def _fill(self, connection: sa.Connection) -> None:
        said = {"fingerprint": "f", "received": T0, "return_path": "p", "kind": "bounce", "aside": ""}
        connection.execute(schema.notice.insert().values(id=1, **said))
        _insert(connection, OF_EACH, str(SHORT), _after(T0, "n * 4 * 86400"))
        _insert(connection, self.bounces, str(LONG), _after(NOW, f"-1 - n * {DAYS * 86400.0 / self.bounces}"))
        others = f"n % {OF_EACH} * 4 * 86400 + n / 9 % 86400"
        _insert(connection, self.bounces, f"1001 + n / {OF_EACH}", _after(T0, others))
        for statement in (ACTIONS, SENDS):
            connection.exec_driver_sql(statement)


def _insert(connection: sa.Connection, count: int, user: str, sent: str) -> None:
    numbers = NUMBERS.format(count=count)
    connection.exec_driver_sql(BOUNCES.format(numbers=numbers, user=user, sent=sent))


def _after(time: datetime, seconds: str) -> str:
    """A time as our tables spell it, in SQL: so many *seconds* after another one."""
    return f"strftime('%Y-%m-%d %H:%M:%f000', {time.timestamp()} + {seconds}, 'unixepoch')"
