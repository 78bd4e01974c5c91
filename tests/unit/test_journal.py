"""How a line of the log looks: on a terminal, as ECS, as key=value; and what is never in it."""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from datetime import UTC, datetime
from io import StringIO
from typing import Any, TextIO

import pytest
import structlog

from sidecar import __version__
from sidecar.journal import configure_logging, hear_libraries
from sidecar.telemetry import Tellable, report
from tests.support.ecs import check_ecs

SECRET = "0123456789abcdefghijklmnopqrstuv"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def libraries() -> Iterator[None]:
    """As after the tests: what libraries say goes where it went."""
    handlers = logging.getLogger().handlers.copy()
    logging.captureWarnings(False)  # a daemon of another test may have begun it, and it begins but once
    yield
    logging.getLogger().handlers[:] = handlers
    logging.captureWarnings(False)


def said(style: str, level: str = "info", stream: StringIO | None = None, **facts: object) -> str:
    """One line, as it is written."""
    with redirect_stderr(stream or StringIO()) as stderr:
        configure_logging(level, style)
        structlog.get_logger().info("notice", **facts)
    return stderr.getvalue()


def failed(style: str, level: str, error: Exception) -> str:
    """What is written of an error that nobody foresaw, raised where a secret is at hand."""
    with redirect_stderr(StringIO()) as stderr:
        configure_logging(level, style)
        try:
            key = SECRET  # noqa: F841
            raise error
        except Exception as raised:
            report(structlog.get_logger(), "intake failed", raised)
    return stderr.getvalue()


def test_a_notice_is_a_line_of_ecs() -> None:
    line = json.loads(said("json", receipt="taken", notice=3, bounce=2, hard=True, wiki="enwiki", user=7))
    assert datetime.fromisoformat(line.pop("@timestamp")).tzinfo == UTC
    assert line.pop("service")["node"]["name"]
    assert line == {
        "log.level": "info",
        "message": "notice",
        "ecs.version": "1.6.0",
        "event": {"kind": "event", "action": "notice", "outcome": "success"},
        "bounce_sidecar": {
            "receipt": "taken", "notice": 3, "bounce": 2, "hard": True, "wiki": "enwiki", "user": 7
        },
    }  # fmt: skip


def test_who_speaks_is_said() -> None:
    service = json.loads(said("json"))["service"]
    assert (service["name"], service["version"]) == ("bounce-sidecar", __version__)
    with redirect_stderr(StringIO()) as stderr:
        configure_logging("info", "json", "mx2")
        structlog.get_logger().info("serving")
    assert json.loads(stderr.getvalue())["service"]["node"] == {"name": "mx2"}


def test_on_a_terminal_it_is_for_a_person_elsewhere_for_a_machine() -> None:
    assert json.loads(said("auto", receipt="taken"))["message"] == "notice"
    for_a_person = said("auto", stream=Terminal(), receipt="taken")
    assert "notice" in for_a_person
    assert "\x1b[" in for_a_person, "coloured"
    assert "\x1b[" not in said("console", receipt="taken"), "a file has no colours"


def test_what_is_named_by_an_operator_is_no_field() -> None:
    modes = {"a.wiki": "shadow", "a": "enforce"}  # else a field here and a group of fields there
    line = json.loads(said("json", modes=modes, bounces=(1, 2)))
    assert line["bounce_sidecar"] == {"modes": ["a.wiki=shadow", "a=enforce"], "bounces": [1, 2]}


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"what": "done", "effect": "unconfirmed"}, "success"),
        ({"what": "postponed"}, "failure"),
        ({"what": "dead"}, "failure"),
        ({"wikis": 3}, None),
    ],
)
def test_the_outcome_is_told_where_there_is_one(facts: dict[str, object], outcome: str | None) -> None:
    assert json.loads(said("json", **facts))["event"].get("outcome") == outcome


def test_an_error_is_told_by_its_kind_its_place_and_the_words_that_may_be_told() -> None:
    line = json.loads(failed("json", "info", Tellable("the file is gone")))
    assert line["error"] == {"type": "Tellable", "message": "the file is gone"}
    assert line["log"]["origin"]["file"]["name"] == "test_journal.py"
    assert line["event"]["outcome"] == "failure"
    assert json.loads(said("json", why="no rule matched"))["event"]["reason"] == "no rule matched"


@pytest.mark.parametrize("style", ["json", "keyvalue", "console"])
@pytest.mark.parametrize(
    "nasty", ["two\nlines", "a\u2028b\x85c\rd", "\ud800", "\x1b[2J", "\x9b2J", "\u202ex", "ü" * 60_000]
)
def test_a_line_stays_one_line_that_journald_does_not_break(style: str, nasty: str) -> None:
    text = said(style, why=nasty)
    assert len(text.splitlines()) == 1
    assert text.isascii() or "ü" in text, "nothing in it moves a cursor or turns a line round"
    text.encode()
    if style == "json":
        check_ecs(text)
        assert len(text) < 48 * 1024


@pytest.mark.parametrize("style", ["json", "keyvalue", "console"])
def test_what_a_wiki_says_is_told_without_whom_it_names(style: str) -> None:
    words = "BounceBot@sidecar may not: <bob@example.com> and 'o=hara@x.example' are protected"
    configure_logging("info", style)
    told: Any = {"event": "action", "why": words}
    for processor in structlog.get_config()["processors"]:  # no logger: its words would fail any test
        told = processor(None, "info", told)
    assert "BounceBot@sidecar may not" in told
    assert "are protected" in told
    assert "example" not in told


@pytest.mark.parametrize("style", ["json", "keyvalue", "console"])
def test_debug_shows_an_address_and_no_level_shows_a_secret(style: str) -> None:
    error = ValueError("bob@example.com is no number")
    assert "bob" not in failed(style, "info", error)
    told = failed(style, "debug", error)
    assert "bob@example.com is no number" in told
    assert SECRET not in told, "no local variables"


def test_the_stack_at_debug_is_a_field_of_one_line() -> None:
    lines = [json.loads(line) for line in failed("json", "debug", ValueError("no")).splitlines()]
    assert [line["log.level"] for line in lines] == ["error", "debug"]
    assert lines[1]["error"]["stack_trace"].endswith("ValueError: no")


@pytest.mark.usefixtures("libraries")
def test_what_libraries_say_is_a_line_too_and_quotes_nothing() -> None:
    library = logging.getLogger("some.library")
    with redirect_stderr(StringIO()) as stderr:
        configure_logging("info", "json")
        hear_libraries()
        library.warning("no answer to bob@example.com")
        try:
            raise ValueError("bob@example.com")
        except ValueError:
            library.exception("Task exception was never retrieved")
        library.debug("the password is secret")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("bob@example.com", stacklevel=1)
    lines = [json.loads(line) for line in stderr.getvalue().splitlines()]
    assert [(line["message"], line["bounce_sidecar"]["library"]) for line in lines] == [
        ("a library warns", "some.library"),
        ("a library failed", "some.library"),
        ("a library warns", "py.warnings"),
    ]
    assert "bob" not in stderr.getvalue()


@pytest.mark.usefixtures("libraries")
def test_libraries_are_heard_once_however_often_it_is_asked() -> None:
    with redirect_stderr(StringIO()) as stderr:
        configure_logging("info", "json")
        hear_libraries()
        hear_libraries()
        logging.getLogger("some.library").warning("once")
    assert len(stderr.getvalue().splitlines()) == 1


@pytest.fixture(params=["full", "unread"])
def deaf(request: pytest.FixtureRequest) -> Iterator[TextIO]:
    """A standard error that takes nothing: its disk is full, or nobody is at the other end of the pipe."""
    before: dict[str, Any] = structlog.get_config()
    if request.param == "full":
        stream = open("/dev/full", "w")  # noqa: SIM115
    else:
        reading, writing = os.pipe()
        os.close(reading)
        stream = os.fdopen(writing, "w")
    yield stream
    with suppress(OSError):  # of what is left to be written
        stream.close()
    structlog.configure(**before)


@pytest.mark.parametrize("style", ["keyvalue", "json", "console"])
def test_a_log_that_cannot_be_written_stops_nobody(deaf: TextIO, style: str) -> None:
    with redirect_stderr(deaf):
        configure_logging("info", style)
        for _ in range(1000):  # more than is buffered
            structlog.get_logger().info("notice", receipt="taken")
