"""Reading and judging bounces, by us and by others, in one process and in two; an archive replayed.

Contenders have processes of their own, hold the mails in memory and time themselves, so that start-up,
imports, rules and files stay outside. Asserts nothing.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from sidecar import host
from sidecar.recorded import names, recorded
from tests.bench.contender import ROSTER, Contender, Entrant, Pass
from tests.bench.figures import OURS, Line, Measure, Section
from tests.bench.settings import Settings, rounds_of
from tests.support.mails import CORPUS, corpus_mails, recorded_mails
from tests.support.practice import bounce, configured, load

__all__ = ["measure", "race"]

PART = "reading"
PROCESSES = 2
PATIENCE = 3600.0  # seconds for an archive
MEASURES = (
    Measure("mails/s", "more"),
    Measure("CPU us", "less"),
    Measure("recognised"),
)
REPLAYED = (Measure("mails/s"), Measure("seconds", "", 1), Measure("processors", "", 2))
TOLD = """\
All mails of a set, read and judged. Each contender holds them in memory. flufl.bounce finds addresses and
gives no reason, Sisimai and we give a reason for each. "recognised" is in how many mails it found a
recipient: speed is not bought by reading less. CPU is the processor time for a mail; the ratio of it is
what a busy machine disturbs least."""
TOLD_TWO = "Two processes of a contender at once, each with all mails; x is how many times its one process."
TOLD_REPLAY = """\
`bounce-sidecar replay` over one mbox: every mail is found, read, judged, booked into a history that is
thrown away, and the policy asked. "processors" is how many it kept busy."""


def measure(settings: Settings) -> Iterator[Section]:
    """A table of contenders, one of two processes, one of the command."""
    entrants, lines, two, versions = present(), list[Line](), list[Line](), dict[str, str]()
    for title, mails in _sets().items():
        taken, versions = race(mails, entrants, settings)
        lines += [Line(f"{title}: {len(mails)} mails", one.name, taken[one.name, 1]) for one in entrants]
        two = two or [
            Line(f"{title}, {case}", one.name, taken[one.name, number])
            for number, case in ((1, "1 process"), (PROCESSES, f"{PROCESSES} processes"))
            for one in entrants
        ]
    yield Section(
        PART, "Reading and judging, beside Sisimai and flufl.bounce", TOLD, MEASURES, lines, "who", versions
    )
    rates = (MEASURES[0],)
    yield Section(PART, "The same in two processes", TOLD_TWO, rates, two, "case", versions)
    yield _replayed(settings)


def race(
    mails: Sequence[bytes], entrants: Sequence[Entrant], settings: Settings
) -> tuple[dict[tuple[str, int], dict[str, list[float]]], dict[str, str]]:
    """What each says by its name and the number of processes, and the versions."""
    repeats = -(-settings.reading // len(mails))
    with ExitStack() as stack, ThreadPoolExecutor(PROCESSES) as pool:
        teams = {
            entrant.name: [stack.enter_context(Contender(entrant, mails)) for _ in range(PROCESSES)]
            for entrant in entrants
        }

        def one(team: Sequence[Contender]) -> dict[str, float]:
            begin = perf_counter()
            passes: list[Pass] = list(pool.map(lambda contender: contender.run(repeats), team))
            # One times itself; of several the last to end counts.
            seconds = passes[0].seconds if len(passes) == 1 else perf_counter() - begin
            read = len(mails) * repeats * len(team)
            cpu = sum(taken.cpu for taken in passes) / read * 1e6
            return {"mails/s": read / seconds, "CPU us": cpu, "recognised": passes[0].recognised}

        passes = {
            (name, number): partial(one, team[:number])
            for name, team in teams.items()
            for number in (1, PROCESSES)
        }
        versions = {name: team[0].version for name, team in teams.items()}
        return rounds_of(passes, settings.rounds), versions


def present() -> list[Entrant]:
    """Who can take part; who cannot is named on standard error."""
    here = [entrant for entrant in ROSTER if entrant.is_here()]
    for absent in [entrant for entrant in ROSTER if entrant not in here]:
        print(f"{absent.name} is left out, for it is not installed: {absent.remedy}", file=sys.stderr)
    return here


def _sets() -> dict[str, list[bytes]]:
    corpus = list(corpus_mails().values())
    if not corpus:
        print(f"No corpus: {CORPUS}/mails is not there (BOUNCE_SIDECAR_CORPUS names it)", file=sys.stderr)
    return {"fixtures/bounces": list(recorded_mails().values())} | ({"corpus": corpus} if corpus else {})


def _replayed(settings: Settings) -> Section:
    with tempfile.TemporaryDirectory(prefix="bounce-bench-", dir="/var/tmp") as place:
        folder = Path(place)
        configured(folder)
        _write_archive(folder, settings.archived)
        program = str(Path(sys.executable).with_name("bounce-sidecar"))
        command = [
            program,
            "--config",
            str(folder / "config.toml"),
            "replay",
            "--json",
            str(folder / "archive"),
        ]
        before, begin = _children(), perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        seconds = perf_counter() - begin
    told = sum(json.loads(done.stdout)["receipts"].values())
    if told != settings.archived:
        raise RuntimeError(f"{told} of {settings.archived} mails were replayed")
    figures = {
        "mails/s": [told / seconds],
        "seconds": [seconds],
        "processors": [(_children() - before) / seconds],
    }
    lines = [Line(f"{settings.archived:,} mails", OURS, figures)]
    return Section(PART, "An archive replayed", TOLD_REPLAY, REPLAYED, lines, "")


def _write_archive(folder: Path, count: int) -> None:
    """An mbox of bounces of the last ten days, four for each user."""
    config, now = load(folder), host.now()
    kinds = [name for name in names() if recorded(name).kind == "bounce"]
    with (folder / "archive").open("wb") as file:
        for number, name in enumerate(islice(cycle(kinds), count)):
            came = now - timedelta(days=9) * (1 - number / count)
            raw = bounce(config, name, 1 + number // 4, came - timedelta(minutes=5), came)
            file.write(
                b"From MAILER-DAEMON Thu Jan  1 00:00:00 2026\n"
                + raw.replace(b"\nFrom ", b"\n>From ")
                + b"\n"
            )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
