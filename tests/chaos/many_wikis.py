"""Nodes of many wikis killed or reloaded: ``python -m tests.chaos.many_wikis --rounds 20``, for long.

Each round has a seed of its own, a database of its own, and its line. Ends with 1 if anything was lost, done
twice, or done to anybody else.
"""

import argparse
import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.chaos.campaign import Campaign, Report
from tests.chaos.crowd import Crowd
from tests.chaos.node import team
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import PATTERN
from tests.support.fresh_history import make_tables
from tests.support.mariadb_server import MariaDb
from tests.support.postgresql_server import PostgreSql

SERVERS: dict[str, type[DatabaseServer]] = {"mariadb": MariaDb, "postgresql": PostgreSql}


def one_round(server: DatabaseServer, folder: Path, seed: int, arguments: argparse.Namespace) -> Report:
    """With a database, wikis and nodes that nobody has used before."""
    url = server.copy(PATTERN, f"round_{seed}")
    with closing(Crowd(arguments.wikis, seed, arguments.persons)) as crowd:
        nodes = team(folder, url, crowd, arguments.nodes, apart=arguments.roles)
        try:
            for node in nodes:
                node.start()
            for node in nodes:
                node.await_serving()
            return Campaign(crowd, nodes, server, url, blows=arguments.blows, clients=8).run()
        finally:
            for node in nodes:
                node.kill()
            server.revive()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.many_wikis", description=__doc__)
    parser.add_argument("--server", choices=SERVERS, default="mariadb")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wikis", type=int, default=200)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument(
        "--persons", action="store_true", help="half of the wikis' users have accounts at two"
    )
    parser.add_argument("--roles", action="store_true", help="the last node acts, and the others do all else")
    parser.add_argument("--blows", type=int, default=25)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/var/tmp"))
    folder.chmod(0o755)
    server, wrongs = SERVERS[arguments.server](folder / "server"), 0
    try:
        make_tables(server.create(PATTERN))
        for seed in range(arguments.seed, arguments.seed + arguments.rounds):
            report = one_round(server, folder, seed, arguments)
            wrongs += len(report.wrongs)
            sys.stdout.write("\n".join([str(report), *report.wrongs[:20]]) + "\n")
            sys.stdout.flush()
    finally:
        server.stop()
    if not wrongs:
        shutil.rmtree(folder)
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
