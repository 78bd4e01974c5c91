"""What a hostile wiki can do with octets: no end, other places, bombs, floods; by both adapters.

Knows the attacks and what must hold. Does not know the adapters' insides.
"""

import gzip
import itertools
import random
import tracemalloc
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sidecar.domain.wiki import Outcome, Unconfirm, WikiError
from tests.attack.tally import Tally, rounds
from tests.attack.wiki.hostile import ANSWERS, CSRF, HEADER, PASSWORD, Hostile, Octets, access_to, plain
from wiki_adapter import Adapter, open_wiki

__all__ = ["ATTACKS", "attacked", "campaign"]

ACTION = Unconfirm("testwiki", 5, datetime(2026, 3, 20, 8, 30, tzinfo=UTC), "3 hard bounces")
MOST_MEMORY = 60 << 20  # octets at once; http.client reads a header of up to 6 MiB, and takes 50 for it
LONGEST_WORDS = 600  # characters of an error: the wiki's 300, and ours
MIB = 1 << 20
CHUNKED = HEADER + b"Transfer-Encoding: chunked\r\n\r\n"


def endless(first: bytes, more: bytes) -> Octets:
    def octets() -> Iterator[bytes]:
        yield first
        yield from itertools.repeat(more)

    return octets


def whole(*said: bytes) -> Octets:
    return lambda: iter(said)


def redirect(status: int, place: str) -> Octets:
    return whole(b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, place.encode()))


def packed(body: bytes, encoding: str) -> Octets:
    length = b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding.encode(), len(body))
    return whole(HEADER + length + body)


def _bomb(packing: Mapping[str, bytes]) -> dict[str, Octets]:
    return {f"bomb {encoding}": packed(body, encoding) for encoding, body in packing.items()}


def _attacks() -> dict[str, Octets]:
    """By name. ELSEWHERE stands for another server's origin."""
    zeros = bytes(64 * MIB)
    once = gzip.compress(zeros)
    found: dict[str, Octets] = {
        "endless body": endless(HEADER + b"\r\n", b" " * 65536),
        "endless chunks": endless(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
        "endless chunk line": endless(CHUNKED, b"1" * 65536),
        "endless chunk extension": endless(CHUNKED, b"1;" + b"x" * 65536),
        "endless trailer": endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 1000),
        "endless header": endless(HEADER, b"X: y\r\n" * 1000),
        "endless header line": endless(HEADER + b"X: ", b"y" * 65536),
        "endless status line": endless(b"HTTP/1.1 200 ", b"O" * 65536),
        "endless 1xx": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        "huge numbers in it": whole(plain({"emailbounce": {"result": 10**4000}})),
        "a length that lies": whole(HEADER + b"Content-Length: 10\r\n\r\n{}"),
        "a negative length": whole(HEADER + b"Content-Length: -1\r\n\r\n{}"),
        "a length without end": whole(HEADER + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}"),
        "two lengths": whole(HEADER + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        "no HTTP": whole(b"220 mail.example.org ESMTP\r\n"),
        "nothing": whole(),
        "retry after ever": whole(b"HTTP/1.1 503 X\r\nRetry-After: " + b"9" * 400 + b"\r\n\r\n"),
        "retry after a date": whole(
            b"HTTP/1.1 503 X\r\nDate: Mon, 01 Jan 2026 00:00:00 GMT\r\n"
            b"Retry-After: Mon, 01 Jan 99999999999999 00:00:00 GMT\r\n\r\n"
        ),
        "secrets in a header": whole(HEADER + f"X-Database-Lag: {PASSWORD}\r\n\r\n{{}}".encode()),
        "many cookies": whole(
            HEADER + b"".join(b"Set-Cookie: c%d=%s\r\n" % (n, b"v" * 60000) for n in range(90)) + b"\r\n{}"
        ),
        "deep": whole(HEADER + b"\r\n" + b"[" * 200_000),
        "not UTF-8": whole(HEADER + b'\r\n{"emailbounce": "\xff\xfe"}'),
        **_bomb(
            {"gzip": once, "deflate": zlib.compress(zeros), "gzip, gzip": gzip.compress(once), "br": once}
        ),
    }
    places = ("ELSEWHERE/w/api.php", "file:///etc/passwd", "//ELSEHOST/", "/w/api.php", "https://ELSEHOST/")
    for status, place in itertools.product((301, 302, 303, 307, 308), places):
        found[f"redirect {status} {place}"] = redirect(status, place)
    return found


ATTACKS = _attacks()


def attacked(name: str, at: str, adapter: Adapter, tally: Tally) -> None:
    """One attack at one step; what broke is told to *tally*."""
    elsewhere = Hostile()
    wiki = Hostile(at, _aimed(ATTACKS[name], elsewhere))
    what = f"{name} at {at}, {adapter}"
    tracemalloc.start()
    try:
        said = _performed(wiki, adapter)
        peak = tracemalloc.get_traced_memory()[1]
    except Exception as error:
        tally.wrong(f"{what}: {type(error).__name__}", str(error).encode())
        return
    finally:
        tracemalloc.stop()
        wiki.close()
        elsewhere.close()
    if peak > MOST_MEMORY:
        tally.wrong(f"{what}: {peak >> 20} MiB of memory")
    if elsewhere.asked or {one.path for one in wiki.asked} - {"/w/api.php"}:
        tally.wrong(f"{what}: followed to another place", repr(elsewhere.asked).encode())
    if PASSWORD in said or CSRF in said or len(said) > LONGEST_WORDS or not said.isprintable():
        tally.wrong(f"{what}: told in words that may not be logged", said.encode())
    tally.count(name.partition(" ")[0] if name.startswith("redirect") else name)


def _aimed(attack: Octets, elsewhere: Hostile) -> Octets:
    origin = elsewhere.origin.encode()

    def octets() -> Iterator[bytes]:
        for said in attack():
            yield said.replace(b"ELSEWHERE", origin).replace(b"ELSEHOST", origin.removeprefix(b"http://"))

    return octets


def _performed(wiki: Hostile, adapter: Adapter) -> str:
    """What is told of it: an error's words, or what the wiki is believed to have done."""
    client = open_wiki(access_to(wiki, adapter, answer_timeout=0.5))
    client._caller._patiently.sleep = lambda _seconds: None  # type: ignore[attr-defined]
    try:
        outcome: Outcome = client.perform(ACTION)
    except WikiError as error:
        return str(error)
    finally:
        client.close()
    return repr(outcome)


def campaign(seed: int, seconds: float) -> Tally:
    """Each attack at a step and by an adapter that chance picks; a few at least."""
    tally = Tally()
    for chance in rounds(seed, seconds, at_least=2):
        attacked(*_picked(chance), tally)
    return tally


def _picked(chance: random.Random) -> tuple[str, str, Adapter]:
    adapter = chance.choice((Adapter.MWCLIENT, Adapter.PYWIKIBOT))
    return chance.choice(list(ATTACKS)), chance.choice(list(ANSWERS)), adapter
