"""Return paths that nobody here issued: each alteration, the two that were once believed, and every door."""

import asyncio
import random
import smtplib
import socket
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.configuration.configured import Config
from sidecar.domain.keyring import Keyring
from sidecar.domain.verp import Forged, NotOurs, SidecarFormat, Verp, VerpError
from sidecar.edges.socketmap import netstring
from tests.attack.forgery.alterations import ALTERATIONS, LEGITIMATE
from tests.attack.forgery.mint import DOMAIN, NOW, REVOKED, Mint, issued
from tests.integration.pipe import MAIL, hand_over, installed
from tests.integration.test_daemon import serving
from tests.support.leaks import secret
from tests.support.places import free_port
from tests.support.practice import WIKI, configured, load

TOKEN = secret("a-token-of-some-length-0123456789")
DAY = 86_400
HTTP = '\n[http]\nlisten = "127.0.0.1:{port}"\ntoken_file = "http.token"\n'
REFUSED = ("550 ", "501 ", "555 ", "500 ")


class Post(Mint):
    """Paths of a daemon's own configuration."""

    def __init__(self, config: Config, chance: random.Random) -> None:
        self.verp = config.verp
        self.good = [issued(self.verp, chance, NOW, [WIKI]) for _ in range(5)]
        self.expired = [issued(self.verp, chance, NOW - self.verp.accept * 2, [WIKI]) for _ in range(5)]
        domain = self.good[0].rpartition("@")[2]
        gone = Verp((SidecarFormat("wiki", domain, Keyring([REVOKED])),), [WIKI], accept=self.verp.accept)
        self.by_gone_keys = [issued(gone, chance, NOW, [WIKI]) for _ in range(5)]
        self._said = {path.lower(): self.verp.recognise(path, NOW) for path in self.good}


def test_a_letter_that_folds_to_another_is_another() -> None:
    mint = Mint(random.Random(1))
    path = next(one for one in mint.good if "k" in one)
    assert mint.verp.recognise(path.upper(), NOW) == mint.said(path)
    with pytest.raises(NotOurs):
        mint.verp.recognise(path.replace("k", "\N{KELVIN SIGN}"), NOW)


def test_a_wiki_is_spelled_in_one_way() -> None:
    mint = Mint(random.Random(1))
    path = next(one for one in mint.good if "zh.min.nanwiki" in one)
    with pytest.raises((NotOurs, Forged)):
        mint.verp.recognise(path.replace("zh.min.nanwiki", "zh-min-nanwiki"), NOW)


def forged_by_each(mint: Mint, chance: random.Random, each: int) -> Iterator[str]:
    """Such that no door has to cut or split them."""
    for alter in ALTERATIONS.values():
        for _ in range(each):
            path = alter(chance.choice(mint.good), chance, mint)
            if mint.said(path) is None and path.isprintable() and path.isascii() and " " not in path:
                yield path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = configured(tmp_path)
    (tmp_path / "http.token").touch(0o600)
    (tmp_path / "http.token").write_text(TOKEN + "\n")
    path.write_text(path.read_text() + HTTP.format(port=free_port()))
    return load(tmp_path)


def by_lmtp(config: Config, paths: list[str]) -> list[str]:
    said = []
    for path in paths:  # a session bears few mistakes
        with smtplib.LMTP(str(config.listen.lmtp), timeout=10) as mta:
            mta.ehlo_or_helo_if_needed()  # LHLO
            mta.docmd("MAIL FROM:<>")
            code, words = mta.docmd(f"RCPT TO:<{path}>")
            said.append(f"{code} {words.decode()}")
    return said


def asked(socket_path: Path, questions: list[bytes]) -> list[str]:
    """What a Unix socket answers, on one connection."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(str(socket_path))
        said = []
        for question in questions:
            line.sendall(question)
            said.append(line.recv(1000).decode())
        return said


def by_policy(config: Config, paths: list[str]) -> list[str]:
    request = "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={}\n\n"
    said = asked(config.listen.policy, [request.format(path).encode() for path in paths])
    return [answer.removeprefix("action=").strip() for answer in said]


def by_socketmap(config: Config, paths: list[str]) -> list[str]:
    said = asked(config.listen.verp, [netstring(f"bounce {path}") for path in paths])
    return [answer.partition(":")[2] for answer in said]


def by_http(config: Config, paths: list[str]) -> list[int]:
    assert config.listen.http
    url, said = "http://{}:{}".format(*config.listen.http.address), []
    for path in paths:
        query = urllib.parse.urlencode({"recipient": path})
        request = urllib.request.Request(f"{url}/bounces?{query}", MAIL, {"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                said.append(answer.status)
        except urllib.error.HTTPError as error:
            said.append(error.code)
    return said


def booked(config: Config, folder: Path) -> int:
    with closing(sqlite3.connect(folder / "history.db")) as database:
        return sum(
            int(database.execute(f"select count(*) from {table}").fetchone()[0])
            for table in ("notice", "bounce")
        )


@pytest.mark.slow
async def test_no_door_lets_a_forged_path_in(config: Config, tmp_path: Path) -> None:
    mint, chance = Post(config, random.Random(7)), random.Random(8)
    paths = list(forged_by_each(mint, chance, 4))
    async with serving(config):
        lmtp = await asyncio.to_thread(by_lmtp, config, paths)
        policy = await asyncio.to_thread(by_policy, config, paths)
        socketmap = await asyncio.to_thread(by_socketmap, config, paths)
        http = await asyncio.to_thread(by_http, config, paths)
        command = [*installed(tmp_path), "--refuse", "--socket", str(config.listen.lmtp)]
        pipe = [(await hand_over(command, "--", path)).code for path in paths[::20]]
        assert booked(config, tmp_path) == 0
        good = [mint.good[0].upper()]
        assert await asyncio.to_thread(by_lmtp, config, good) == ["250 2.1.5 OK"]
        assert await asyncio.to_thread(by_http, config, good) == [200]
        assert booked(config, tmp_path) > 0
    assert [one for one in zip(lmtp, paths, strict=True) if not one[0].startswith(REFUSED)] == []
    assert [one for one in zip(socketmap, paths, strict=True) if not one[0].startswith("NOTFOUND ")] == []
    assert [one for one in zip(http, paths, strict=True) if one[0] not in (400, 403, 404, 410)] == []
    assert {one for one in policy if not one.startswith("550 ")} <= {"DUNNO"}  # of other domains
    assert "550 5.7.1 Return path is not signed by us" in policy
    assert 0 not in pipe


def test_each_alteration_alters_and_each_respelling_says_the_same() -> None:
    mint, chance = Mint(random.Random(3)), random.Random(4)
    for name, alter in ALTERATIONS.items():
        made = [alter(chance.choice(mint.good), chance, mint) for _ in range(20)]
        assert any(mint.said(path) is None for path in made), name
        for path in made:
            if mint.said(path) is None:
                with pytest.raises(VerpError):
                    mint.verp.recognise(path, NOW)
    for alter in LEGITIMATE.values():
        assert mint.verp.recognise(alter(mint.good[0], chance, mint), NOW) == mint.said(mint.good[0])
    assert all(path.endswith(DOMAIN) for path in mint.good)
