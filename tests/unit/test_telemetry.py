"""What an unforeseen error says in the log: its place in our code, the driver's words, and no address."""

from typing import Any

import pytest
import sqlalchemy as sa

from sidecar import telemetry
from sidecar.storage.database import FileReplaced
from sidecar.telemetry import Spate, report


class Log:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def error(self, event: str, **facts: Any) -> None:
        self.lines.append({"event": event, **facts})

    def debug(self, event: str, **facts: Any) -> None:
        pass


def told(error: Exception) -> dict[str, Any]:
    log = Log()
    try:
        raise error
    except Exception as raised:
        report(log, "intake failed", raised)
    return log.lines[0]


def test_a_drivers_words_are_told() -> None:
    engine = sa.create_engine("sqlite://", hide_parameters=True)
    with pytest.raises(sa.exc.OperationalError) as caught, engine.connect() as connection:
        connection.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": "bob@example.com"})
    assert told(caught.value)["why"] == "no such table: nowhere"


def test_words_that_are_meant_for_operators_are_told() -> None:
    assert told(FileReplaced("the file is gone"))["why"] == "the file is gone"


def test_the_words_of_any_other_error_are_not_told() -> None:
    line = told(ValueError("bob@example.com is no number"))
    assert line["error"] == "ValueError"
    assert "bob" not in repr(line)


def test_what_is_said_again_and_again_is_said_five_times_a_minute_and_then_counted() -> None:
    now = [0.0]
    spate = Spate(lambda: now[0])
    kind = ("intake failed", "OperationalError")
    assert [spate.left_out(kind) for _ in range(8)] == [0, 0, 0, 0, 0, None, None, None]
    assert spate.left_out(("another", "OperationalError")) == 0
    now[0] = 59.9
    assert spate.left_out(kind) is None
    now[0] = 60.0
    assert [spate.left_out(kind), spate.left_out(kind)] == [4, 0]


def test_how_many_lines_were_left_out_stands_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(telemetry, "SPATE", Spate(lambda: now[0]))
    log = Log()
    for _ in range(1000):
        report(log, "intake failed", LookupError())
    assert len(log.lines) == 5
    now[0] = 60.0
    report(log, "intake failed", LookupError())
    assert log.lines[-1]["left_out"] == 995
