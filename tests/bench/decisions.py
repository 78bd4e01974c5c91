"""What a decision costs beside histories of different lengths, in one run.

Knows how to fill a SQLite file in bulk, and times `consider` on each of them in turns. Asserts nothing.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from types import TracebackType

import sqlalchemy as sa

from sidecar.domain.brake import Limits
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.services.decision import consider
from sidecar.storage import schema, upgrading
from sidecar.storage.ledger import Bounce
from tests.bench.figures import Spread

__all__ = ["compare"]

T0 = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NOW = T0 + timedelta(days=20)
OF_EACH = 4  # failures of each of the others
DAYS = 10  # over which the failures of the one whose history is long are spread
CHUNK = 50_000
POLICY = Policy(Streak(), Mode.ENFORCE)
SHORT, LONG = 7, 8  # user ids: four failures and one decision of it; all the failures that there are

BOUNCES = """
INSERT INTO bounce
  (notice_id, wiki, user_id, sent, tag, key_id, received, category, hard, status, rule, domain)
VALUES (1, 'enwiki', ?1, ?2, 'a1b2c3', 'k', ?2, 'user-unknown', 1, '5.1.1', 'r', 'example.com')
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


class History:
    """A database of its own with so many bounces twice: of everybody, and of one user."""

    def __init__(self, bounces: int) -> None:
        self.bounces = bounces
        self._folder = tempfile.TemporaryDirectory(prefix="bounce-bench-")
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

    def time(self, user_id: int) -> float:
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
        rows: list[tuple[object, ...]] = []
        for row in self._rows():
            rows.append(row)
            if len(rows) == CHUNK:
                self._insert(connection, rows)
        self._insert(connection, rows)
        for statement in (ACTIONS, SENDS):
            connection.exec_driver_sql(statement)

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for number in range(OF_EACH):
            yield (SHORT, _text(T0 + timedelta(days=4 * number)))
        for number in range(self.bounces):
            yield (LONG, _text(NOW - timedelta(days=DAYS * number / self.bounces, seconds=1)))
            yield (
                1001 + number // OF_EACH,
                _text(T0 + timedelta(days=number % OF_EACH * 4, seconds=number // 9)),
            )

    @staticmethod
    def _insert(connection: sa.Connection, rows: list[tuple[object, ...]]) -> None:
        connection.exec_driver_sql(BOUNCES, rows)
        rows.clear()


def compare(most: int, rounds: int) -> str:
    """A table for people: histories of a thousand bounces, ten thousand, ... up to *most*."""
    sizes = [10**power for power in range(3, 10) if 10**power <= most]
    times: dict[tuple[int, int], list[float]] = {}
    with ExitStack() as stack:
        histories = [stack.enter_context(History(size)) for size in sizes]
        for _ in range(rounds + 1):
            for history in histories:
                for user_id in (SHORT, LONG):
                    times.setdefault((history.bounces, user_id), []).append(history.time(user_id))
    spreads = {key: Spread.of([second * 1e3 for second in taken[1:]]) for key, taken in times.items()}
    lines = [
        f"a decision, {rounds} rounds: milliseconds (quartiles), times as long as in the shortest",
        f"  {'bounces':>9} {'of a user with four':>32} {'of the user who has them all':>32}",
    ]
    for size in sizes:
        told = [_told(spreads[size, user], spreads[sizes[0], user]) for user in (SHORT, LONG)]
        lines.append(f"  {size:9} {told[0]:>32} {told[1]:>32}")
    return "\n".join(lines)


def _told(spread: Spread, least: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} - {spread.high:.2f})  x {spread.median / least.median:.2f}"


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S.%f}"
