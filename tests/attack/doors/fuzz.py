"""Octets in quantity for a reader of octets: guided by coverage where atheris is installed, else blind.

Knows how octets are damaged, and how both ways are counted. Does not know what reads them.
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.attack.journal import overheard
from tests.attack.tally import Tally, rounds
from tests.support.endless import Broken, interrupted

__all__ = ["ENDLESS", "Broken", "Target", "damaged", "examine", "fuzz"]

ENDLESS = 5.0  # seconds of a processor for one attack; then it is interrupted, and a promise is broken
WORTH_GUIDING = 3.0  # seconds; a guided campaign needs one to begin
BLIND_LEAST = 300  # attacks of a blind campaign, however short
MAX_OCTETS = 65_536  # of one attack
MAX_DAMAGES = 6
HANGS = 60  # seconds by the clock for one guided attack, on a machine that does much else
OVERDUE = 90.0  # seconds beyond its time, after which a guided campaign is given up

_UNITS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Target:
    """Something that reads octets."""

    module: str  #: in which it stands as TARGET
    check: Callable[[bytes], None]  #: raises where a promise breaks: Broken, or whatever came out
    seeds: Sequence[bytes]  #: what honest peers say
    words: Sequence[bytes] = ()  #: pieces that mean something to the reader


def fuzz(target: Target, seed: int, seconds: float) -> Tally:
    """For *seconds*."""
    if seconds >= WORTH_GUIDING and importlib.util.find_spec("atheris"):
        return _guided(target, seed, seconds)
    tally = _blind(target, seed, seconds)
    if seconds >= WORTH_GUIDING:
        tally.remarks.append("blind: atheris is not installed")
    return tally


def damaged(chance: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of *seeds*, or two spliced, with a few damages."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(MAX_DAMAGES)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 1, 2, 4, 16, 256)))
        match chance.randrange(7):
            case 0:
                data[at:at] = chance.choice(words) if words else chance.randbytes(2)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * chance.choice((1, 2, 10, 300))
            case 3:
                data[at:end] = chance.randbytes(end - at)
            case 4:
                other = chance.choice(seeds)
                data[at:] = other[chance.randrange(len(other) + 1) :]
            case 5:
                data[at:end] = chance.choice(words) if words else b"\0"
            case _:
                data[at:at] = str(chance.choice((-1, 0, 2**31, 2**63, 10**30))).encode()
    return bytes(data[:MAX_OCTETS])


def _blind(target: Target, seed: int, seconds: float) -> Tally:
    tally = Tally()
    with overheard() as errors:
        for chance in rounds(seed, seconds, at_least=BLIND_LEAST):
            data = damaged(chance, target.seeds, target.words)
            tally.count("blind")
            try:
                with interrupted(ENDLESS):
                    examine(target, data, errors)
            except Exception as error:
                tally.wrong(f"{type(error).__name__}: {error}", data)
    return tally


def examine(target: Target, data: bytes, errors: list[str]) -> None:
    """One attack. Raises Broken, or whatever came out; *errors* are what the log says (journal.py)."""
    target.check(data)
    if errors:
        said = errors[:]
        errors.clear()
        raise Broken(f"in the log: {said[0]}")


def _guided(target: Target, seed: int, seconds: float) -> Tally:
    """In a process of its own, which libFuzzer takes over and ends at the first broken promise."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        program = [sys.executable, "-m", "tests.attack.doors.guided", target.module, folder]
        limits = [f"-max_total_time={max(1, round(seconds))}", f"-seed={seed}", f"-timeout={HANGS}"]
        try:
            ran = subprocess.run(
                [*program, *limits, f"-max_len={MAX_OCTETS}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds + OVERDUE,
            )
            said, code = ran.stdout.decode(errors="replace"), ran.returncode
        except subprocess.TimeoutExpired as late:
            said, code = (late.stdout or b"").decode(errors="replace"), -1
        tally = Tally()
        units, covered = _UNITS.findall(said), _COVERED.findall(said)
        tally.count("guided", int(units[-1]) if units else 0)
        tally.remarks.append(f"coverage {covered[0]} -> {covered[-1]}" if covered else "no coverage")
        if code:
            kept = sorted(Path(folder).glob("*-*"))
            what = kept[0].read_bytes() if kept else said.encode()
            tally.wrong(_reason(said) or f"exit code {code}", what)
        return tally


def _reason(said: str) -> str:
    """What was raised, or else what libFuzzer says; "" if neither is told."""
    raised = re.search(r"Uncaught Python exception: ===\n(.+)", said)
    told = raised or re.search(r"^(?:==\d+== |ALARM)(.+)", said, re.MULTILINE)
    return told[1] if told else ""
