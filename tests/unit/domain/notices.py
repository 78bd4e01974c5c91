"""Notices in words, as many mail systems write them: the table in notices.toml."""

import tomllib
from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """What arrives and what must be found in it."""

    system: str
    kind: str
    sender: str
    subject: str
    text: str
    recipients: tuple[tuple[str, str, str, str], ...]  #: address, status, reply, some words of the diagnostic


def _samples() -> list[Sample]:
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["notice"]
    return [
        Sample(
            entry["system"],
            entry["kind"],
            entry["from"],
            entry["subject"],
            entry["text"],
            tuple(tuple(found) for found in entry["recipients"]),
        )
        for entry in table
    ]


SAMPLES = _samples()
