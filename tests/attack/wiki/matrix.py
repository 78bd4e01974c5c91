"""A sitematrix that was taken over: it may list what it likes, and no password goes where it should not.

What must be: whatever is listed, reading it raises nothing but that it is none; what is remembered of it is
read again; and each wiki that is taken is asked, as urllib3 understands its address, by https and at a host
of the farm's own domain.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from urllib3.util import parse_url

from sidecar.configuration.config import parse
from sidecar.configuration.configured import ConfigError
from sidecar.domain import census, sitematrix
from sidecar.domain.json_text import NotJson, parse_object
from tests.attack.tally import Tally, rounds
from tests.attack.wiki.answers import WRONG, places, spoilt
from tests.unit.configuration.farms import SECRETS, TEXT

__all__ = ["campaign"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SOURCE = "https://meta.example.org/w/api.php"
OURS, EVIL = "en.example.org", "evil.example"
LEAST = 60
#: What an address may be made of, so that two readers of it may see two hosts.
PIECES = (
    "https://", "http://", "//", "https:", "HTTPS://", "ftp://", "", "\\\\", "https:\\\\", OURS, EVIL,
    "@", ":", "/", "\\", "#", "?", "%2f", "%5c", "%00", "\t", "\n", "\r", " ", "\0", ".", "..", ":443",
    ":8443", ":@", "user:pass@", "[::1]", "127.0.0.1", "169.254.169.254", "0x7f.1", "\u3002", "\uff0f",
    "\u2044", "\uff20", "\u00ad", "\u200d", "xn--", ".example.org", ";", "&", "\ud800", "/w/api.php",
    "/../", "localhost",
)  # fmt: skip


def campaign(seed: int, seconds: float) -> Tally:
    tally = Tally()
    for chance in rounds(seed, seconds, at_least=LEAST):
        matrix = _matrix(chance)
        if chance.random() < 0.3:
            matrix = spoilt(matrix, chance.choice(list(places(matrix))), chance.choice(WRONG))
        try:
            _look(matrix, tally)
        except Exception as error:
            tally.wrong(f"{type(error).__name__}: {error}", repr(matrix).encode())
        tally.count("matrices")
    return tally


def _matrix(chance: random.Random) -> Any:
    listed = [
        {"dbname": f"w{number}", "url": _address(chance), chance.choice(("closed", "private", "x")): True}
        for number in range(chance.randrange(1, 8))
    ]
    return {"sitematrix": {"count": 9, "0": {"code": "en", "site": listed}, "specials": listed[:1]}}


def _address(chance: random.Random) -> str:
    made = "".join(chance.choices(PIECES, k=chance.randrange(1, 6)))
    return chance.choice(
        (made, f"https://{made}", f"https://{EVIL}{made}{OURS}", f"https://{OURS}{made}{EVIL}")
    )


def _look(matrix: object, tally: Tally) -> None:
    try:
        listed = sitematrix.read(parse_object(json.dumps(matrix).encode()))
    except (sitematrix.NotAMatrix, NotJson):
        return
    found = census.merged(None, listed, SOURCE, NOW, timedelta(days=10))
    again = census.from_text(census.to_text(found))
    if again != found:
        tally.wrong("what is remembered is another census", repr(matrix).encode())
    try:
        wikis = parse(TEXT, SECRETS.__getitem__, lambda _: again).wikis
    except ConfigError as error:
        tally.wrong(f"the daemon does not start: {error.problems}", repr(matrix).encode())
        return
    for wiki in wikis:
        try:
            asked = parse_url(str(requests.Request("POST", wiki.api).prepare().url))
        except requests.exceptions.InvalidURL:
            continue  # nobody is asked
        if asked.scheme != "https" or not f".{asked.host}".endswith(".example.org") or asked.auth:
            tally.wrong(f"{wiki.api} gets the password", repr(matrix).encode())
        tally.count("wikis that are taken")
