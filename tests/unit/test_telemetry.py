"""What an unforeseen error says in the log: its place in our code, the driver's words, and no address."""

from typing import Any

import pytest
import sqlalchemy as sa

from sidecar.storage.database import FileReplaced
from sidecar.telemetry import report


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
