"""Two nodes on one database, killed by -9 while they work, and the database restarted under load.

Whatever was answered 250 is in the history once; whoever was due was un-confirmed once; nobody else was
touched. `python -m tests.chaos.many_wikis` does the same for longer.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.chaos.campaign import Campaign
from tests.chaos.crowd import Crowd
from tests.chaos.node import Node, team
from tests.support.database_server import DatabaseServer
from tests.support.waiting import until

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short enough for the name of a socket."""
    return tmp_path_factory.mktemp("n")


@pytest.fixture
def crowd(request: pytest.FixtureRequest) -> Iterator[Crowd]:
    size, persons = request.param
    with closing(Crowd(size, SEED, persons)) as crowd:
        yield crowd


@pytest.fixture
def nodes(
    request: pytest.FixtureRequest, folder: Path, url: str, crowd: Crowd, server: DatabaseServer
) -> Iterator[list[Node]]:
    number, apart = request.param
    nodes = team(folder, url, crowd, number, apart=apart)
    yield nodes
    for node in nodes:
        node.kill()
    server.revive()


@pytest.mark.parametrize(
    ("kind", "crowd", "nodes", "blows"),
    [
        ("mariadb", (200, False), (2, False), 9),
        ("postgresql", (40, False), (2, False), 6),
        ("mariadb", (20, True), (3, True), 6),
    ],
    ids=["two of 200 wikis", "two", "persons, and who acts apart from who takes"],
    indirect=["kind", "crowd", "nodes"],
)
def test_nothing_is_lost_and_nothing_is_done_twice(
    crowd: Crowd, nodes: list[Node], server: DatabaseServer, url: str, blows: int
) -> None:
    for node in nodes:
        node.start()
    for node in nodes:
        node.await_serving()
    campaign = Campaign(crowd, nodes, server, url, blows=blows, clients=6)
    report = campaign.run()
    print(report)
    assert report.wrongs == [], "\n".join([str(report), *report.wrongs[:20]])
    assert report.kills.total() == blows


@pytest.mark.parametrize(
    ("kind", "crowd"), [("mariadb", (1, False)), ("postgresql", (1, False))], indirect=True
)
def test_what_a_killed_node_had_in_hand_another_carries_out_within_a_minute(
    crowd: Crowd, folder: Path, url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:  # takes connections and says nothing
        [(name, wiki)] = crowd.wikis.items()
        silent = f"http://127.0.0.1:{nobody.getsockname()[1]}/w/api.php"
        first, second = (
            Node(folder / node, url, {name: api}) for node, api in (("one", silent), ("two", wiki.api_url))
        )
        engine = sa.create_engine(url, poolclass=sa.NullPool)

        def leased() -> int:
            with engine.connect() as connection:
                query = sa.text("SELECT count(*) FROM action WHERE leased_until IS NOT NULL")
                return int(connection.execute(query).scalar_one())

        try:
            first.start()
            first.await_serving()
            for mail in crowd.mails():
                assert first.deliver(mail.return_path, mail.raw)
            until(leased, "an action in hand")
            second.start()
            second.await_serving()
            first.kill()
            killed = time.monotonic()
            until(lambda: crowd.paid == 2, f"both are paid: {second.log()[-2000:]}", 60)
            print(json.dumps({"taken over after": round(time.monotonic() - killed, 1)}))
            assert crowd.wrongs() == []
        finally:
            first.kill()
            second.kill()
