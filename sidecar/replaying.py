"""Archived mail, put together: who reads it, who judges, who books, and into which database.

Knows everybody, as daemon.py does, but no clock: each mail brings its own. Does not know how archives are
laid out.
"""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from sidecar.configuration.configured import Config
from sidecar.domain.classify import HARD_CAPABLE
from sidecar.domain.policy import Mode, Policy
from sidecar.edges import rule_files
from sidecar.host import database_of, now
from sidecar.journal import configure_logging
from sidecar.processes.crew import Crew
from sidecar.services.intake import BounceIntake
from sidecar.services.replay import Archived, MailClock, MailJudge, Replayed
from sidecar.services.replay import replay as replay_mails
from sidecar.services.return_path import ReturnPaths
from sidecar.services.whatif import Difference, Judged, compare, read_all
from sidecar.storage.database import Database

__all__ = ["replay", "what_if"]


async def replay(
    config: Config,
    mails: Iterable[Archived],
    *,
    ingest: bool,
    progress: Callable[[int, int], None],
    processes: int = 1,
) -> Replayed:
    """Take archived mail in: into the history if *ingest*, else into one in memory that is thrown away.

    Read and judged by so many *processes*. Raises HandLost.
    """
    clock = MailClock()
    async with contextlib.AsyncExitStack() as life:
        database = database_of(config) if ingest else Database("sqlite://")
        life.push_async_callback(database.close)
        await (database.join() if ingest else database.open())
        policies = dict(config.policies)
        if not ingest:
            policies = {wiki: replace(policy, mode=Mode.SHADOW) for wiki, policy in policies.items()}
        rules = rule_files.load(config.rules_directory)
        wall_clock = now if ingest else clock
        return_paths = ReturnPaths(config.verp, clock)
        intake = BounceIntake(
            database, return_paths, rules, policies, clock, wall_clock=wall_clock, limits=config.brake
        )
        life.callback(intake.close)
        may_count = {wiki: policy.categories for wiki, policy in policies.items()}
        life.callback((crew := _crew(processes, MailJudge(config.verp, rules, may_count))).close)
        return await replay_mails(mails, crew, intake, clock, database, progress)


def what_if(
    config: Config,
    mails: Iterable[Archived],
    against: Policy,
    *,
    progress: Callable[[int, int], None],
    processes: int = 1,
) -> tuple[Judged, list[Difference]]:
    """What the configured policies would have made of archived mail, and what *against* would have.

    Read and judged by so many *processes*. Raises HandLost.
    """
    # What counts, a policy says.
    may_count = dict.fromkeys(config.policies, HARD_CAPABLE)
    judge = MailJudge(config.verp, rule_files.load(config.rules_directory), may_count)
    with contextlib.closing(_crew(processes, judge)) as crew:
        judged = read_all(list(mails), crew, progress)
    theirs = dict.fromkeys(config.policies, against)
    return judged, list(compare(judged, config.policies, theirs))


def _crew(processes: int, judge: MailJudge) -> Crew[MailJudge]:
    """Its other processes log as commands do."""
    return Crew(processes, judge, partial(configure_logging, "warning", "console"))
