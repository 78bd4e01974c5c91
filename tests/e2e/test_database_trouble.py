"""The database at its worst, seen from the mail server: what is not booked is answered 4xx and comes again.

A real daemon, a real MariaDB and a real PostgreSQL, real LMTP; ``Node.deliver`` fails on any 5xx.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.chaos.crowd import Crowd, Mail
from tests.chaos.node import Node
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import ON_SERVERS
from tests.support.waiting import until

pytestmark = pytest.mark.servers

ATTEMPTS = 300


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with closing(Crowd(1, seed=1)) as crowd:
        yield crowd


@pytest.fixture
def node(
    url: str, crowd: Crowd, server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    apis = {name: wiki.api_url for name, wiki in crowd.wikis.items()}
    node = Node(tmp_path_factory.mktemp("t") / "n", url, apis)
    node.start()
    node.await_serving()
    yield node
    server.thaw()
    server.revive()
    node.kill()


def deliver(node: Node, mail: Mail) -> bool:
    return node.deliver(mail.return_path, mail.raw)


def paid(crowd: Crowd) -> None:
    """Everything is delivered: what is owed is carried out, by itself."""
    until(lambda: crowd.paid == 2, "both are un-confirmed")
    assert crowd.wrongs() == []


def test_a_minute_without_a_database_loses_nothing_and_floods_no_log(
    node: Node, crowd: Crowd, server: DatabaseServer
) -> None:
    first, *others = crowd.mails()
    assert deliver(node, first)
    assert (node.ready(), node.metric("database_up")) == ("Ready", 1)
    server.kill()
    with ThreadPoolExecutor(20) as mail_servers:
        taken = list(mail_servers.map(lambda n: deliver(node, others[n % len(others)]), range(ATTEMPTS)))
    assert taken == [False] * ATTEMPTS
    assert node.ready() == "The database cannot be written"
    assert node.metric("database_up") == 0
    assert node.metric("database_errors_total") >= ATTEMPTS
    errors = re.findall(r"^.*level='error'.*$", node.log(), re.MULTILINE)
    assert len(errors) == 1, errors
    assert "database in trouble" in errors[0]
    server.start()
    until(lambda: node.ready() == "Ready", "it is ready again")
    assert all(deliver(node, mail) for mail in others)
    until(lambda: "database is back" in node.log(), "a line that it is back")
    paid(crowd)


def test_a_server_that_only_reads_is_said_so_and_nothing_is_promised(
    node: Node, crowd: Crowd, server: DatabaseServer, url: str
) -> None:
    mails = crowd.mails()
    server.only_read(url)
    try:
        assert not deliver(node, mails[0])
        assert not deliver(node, mails[1])
        assert node.ready() == "The database lets nobody write"
        assert len(re.findall("database in trouble", node.log())) == 1
        assert "database is back" not in node.log()
    finally:
        server.let_write(url)
    until(lambda: deliver(node, mails[0]), "it is taken")
    assert all(deliver(node, mail) for mail in mails[1:])
    paid(crowd)


def test_a_server_that_says_nothing_keeps_mail_waiting_and_is_told_to_whoever_watches(
    node: Node, crowd: Crowd, server: DatabaseServer
) -> None:
    mails = crowd.mails()
    assert deliver(node, mails[0])
    server.freeze()
    with ThreadPoolExecutor(1) as mail_server:
        waiting = mail_server.submit(deliver, node, mails[1])
        until(lambda: node.ready() == "The database does not answer", "it is told")
        server.thaw()
        taken = waiting.result(120)
    assert all(deliver(node, mail) for mail in (mails[2:] if taken else mails[1:]))
    paid(crowd)


def test_connections_that_the_server_has_closed_are_not_used_again(
    node: Node, crowd: Crowd, server: DatabaseServer
) -> None:
    mails = crowd.mails()
    assert deliver(node, mails[0])
    server.stop()
    server.start()  # between two mails, as in a minor upgrade
    assert all(deliver(node, mail) for mail in mails[1:])
    paid(crowd)
