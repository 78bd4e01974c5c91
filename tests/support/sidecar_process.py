"""The sidecar as a process of its own, with a clock that the test sets and a death that the test orders.

Run as `python -m tests.support.sidecar_process FOLDER`. Everything else is the product's own: configuration,
sockets, database and mwclient.
"""

import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

from sidecar import daemon, host, loops
from sidecar.configuration.configured import WikiConfig
from sidecar.domain.person import Person
from sidecar.domain.wiki import Action, Outcome, Wiki
from sidecar.journal import configure_logging, hear_libraries
from sidecar.services.circuit import Pauses
from sidecar.wiki_opener import wiki_opener

DIE_BEFORE, DIE_AFTER = "die-before-the-call", "die-after-the-call"


class Mortal:
    """A wiki that is called by a process which may die just before, or just after the wiki has acted."""

    def __init__(self, wiki: Wiki, folder: Path) -> None:
        self._wiki, self._folder = wiki, folder

    def perform(self, action: Action) -> Outcome:
        self._perhaps_die(DIE_BEFORE)
        outcome = self._wiki.perform(action)
        self._perhaps_die(DIE_AFTER)
        return outcome

    def identify(self, user_id: int) -> Person:
        return self._wiki.identify(user_id)

    def close(self) -> None:
        self._wiki.close()

    def _perhaps_die(self, when: str) -> None:
        order = self._folder / when
        if order.exists():
            order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path) -> None:
    config = host.load_config(folder / "config.toml")
    configure_logging(config.log_level, config.log_format, config.node.name)
    hear_libraries()
    open_wiki = wiki_opener(config, host.now)

    def open_mortal(wiki: WikiConfig) -> Wiki:
        return Mortal(open_wiki(wiki), folder)

    world = daemon.World(
        clock=lambda: datetime.fromisoformat((folder / "clock").read_text()),
        jitter=lambda: 0.0,
        open_wiki=open_mortal,
        pauses=Pauses(timedelta(0), timedelta(0), timedelta(0)),  # the test's clock stands still
        reread=lambda: host.load_config(folder / "config.toml"),
    )
    loops.run(daemon.run(config, world=world))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
