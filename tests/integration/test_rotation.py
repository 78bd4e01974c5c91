"""Keys change under load: two real daemons that hear of it one after the other, real sockets, real commands.

No address that a verifying key has signed is ever refused, whoever is asked; a revoked key's is, at once.
"""

import asyncio
import contextlib
import json
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sidecar.edges import secret_file
from sidecar.edges.socketmap import netstring
from sidecar.recorded import recorded
from tests.support.desk import say
from tests.support.practice import ADDRESS, PASSWORD, WIKI
from tests.support.sidecar import Sidecar

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(microsecond=0)
MOST = 2000  # mails in all
TAKEN = "action=DUNNO"


class Node(Sidecar):
    """A host that signs and takes bounces."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        account = "BounceBot@sidecar"
        nowhere = "http://127.0.0.1:9/w/api.php"
        super().__init__(
            folder,
            wiki=WIKI,
            api=nowhere,
            account=account,
            password=PASSWORD,
            verp_socket=folder / "verp.sock",
            mode="shadow",
        )
        self.keys = folder / "verp.keys"
        self.set_clock(NOW)

    async def command(self, *words: str) -> str:
        """An operator's command about the keys of this host."""
        result = await asyncio.to_thread(say, self.folder, "keys", *words)
        assert result.exit_code == 0, result.output
        return result.stdout

    async def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.command("list", "--json"))
        return found

    def fetch_keys(self, other: "Node") -> None:
        """What puppet does."""
        secret_file.replace(self.keys, other.keys.read_bytes())

    async def sign(self, user_id: int) -> str:
        answer = await self._ask(self.verp_socket, netstring(f"verp {WIKI} {user_id} {ADDRESS}"), b",")
        words = answer.decode().partition(":")[2].rstrip(",")
        assert words.startswith("OK "), words
        return words.removeprefix("OK ")

    async def verify(self, path: str) -> str:
        """What the mail server hears at RCPT."""
        request = f"request=smtpd_access_policy\nrecipient={path}\n\n"
        return (await self._ask(self.policy_socket, request.encode(), b"\n\n")).decode().strip()

    async def deliver(self, path: str) -> None:
        """A bounce by LMTP; raises if it is not taken."""
        raw = recorded("postfix/01-no-such-user").addressed(ADDRESS, path)
        await asyncio.to_thread(self._hand_in, path, raw)

    def _hand_in(self, path: str, raw: bytes) -> None:
        with smtplib.LMTP(str(self.lmtp_socket), timeout=30) as mta:
            mta.sendmail("", [path], raw)

    @staticmethod
    async def _ask(socket: Path, question: bytes, end: bytes) -> bytes:
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_unix_connection(socket)
            writer.write(question)
            answer = await reader.readuntil(end)
            writer.close()
            return answer


class Load:
    """Mail that leaves by both hosts and comes back to both, for as long as the context lasts."""

    def __init__(self, *nodes: Node) -> None:
        self._nodes = nodes
        self._going = True
        self.signed: list[str] = []
        self.refused: list[str] = []

    async def __aenter__(self) -> "Load":
        self._workers = [asyncio.create_task(self._work(n)) for n in range(2 * len(self._nodes))]
        await self.more(20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._going = False
        await asyncio.gather(*self._workers)

    async def more(self, mails: int) -> None:
        """Wait until so many more were signed and verified."""
        wanted = len(self.signed) + mails
        async with asyncio.timeout(60):
            while len(self.signed) < wanted and not any(worker.done() for worker in self._workers):
                await asyncio.sleep(0.001)

    async def _work(self, number: int) -> None:
        signer = self._nodes[number % len(self._nodes)]
        for turn in range(MOST // len(self._workers)):
            if not self._going:
                return
            path = await signer.sign(number * MOST + turn + 1)
            await self.check(path)
            taker = self._nodes[turn % len(self._nodes)]
            with contextlib.suppress(smtplib.SMTPRecipientsRefused):
                await taker.deliver(path)
                self.signed.append(path)
                continue
            self.refused.append(f"LMTP {path}")

    async def check(self, path: str) -> None:
        for node in self._nodes:
            if (heard := await node.verify(path)) != TAKEN:
                self.refused.append(f"{node.folder.name} {heard}")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    one, two = Node(tmp_path / "one"), Node(tmp_path / "two")
    try:
        one.start()
        two.start()
        yield one, two
    finally:
        one.stop()
        two.stop()


async def signing_key(node: Node, by: Node | None = None) -> str:
    """The key with which it signs, as told by it or by a host with the same keys."""
    result = say((by or node).folder, "verp", "check", await node.sign(1))
    return result.stdout.split()[-1]


async def reload(*nodes: Node) -> None:
    for node in nodes:
        await asyncio.to_thread(node.reload)


async def test_a_key_changes_under_load_and_no_good_address_is_refused(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    [old] = [key["id"] for key in await one.listed()]
    begins = NOW + HOUR
    async with Load(one, two) as load:
        await one.command("add", "--from", f"{begins:%Y-%m-%dT%H:%M:%S}")
        await reload(one)
        await load.more(20)
        two.fetch_keys(one)
        await reload(two)
        assert {await signing_key(node) for node in nodes} == {old}
        one.set_clock(begins)  # one clock is ahead of the other
        new = await signing_key(one)
        assert (new != old, await signing_key(two)) == (True, old)
        await load.more(40)
        two.set_clock(begins)
        assert await signing_key(two) == new
        await one.command("retire", old)
        await reload(one)
        await load.more(20)
        two.fetch_keys(one)
        await reload(two)
        await load.more(20)
    for path in load.signed:
        await load.check(path)
    assert load.refused == []
    assert sum(len(node.rows("SELECT id FROM bounce")) for node in nodes) == len(load.signed)
    by_key = [dict(node.rows("SELECT key_id, count(*) FROM bounce GROUP BY key_id")) for node in nodes]
    assert all(set(counts) == {old, new} for counts in by_key)


async def test_a_leaked_key_is_refused_from_the_reload_on(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    [leaked] = [key["id"] for key in await one.listed()]
    path = await one.sign(7)
    async with Load(two) as load:  # it has not heard yet, and goes on
        await one.command("revoke", leaked)
        assert await one.verify(path) == TAKEN  # until the reload
        await reload(one)
        heard = await one.verify(path)
        assert heard.startswith("action=550 5.7.1 "), heard
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await one.deliver(path)
        assert await two.verify(path) == TAKEN
        new = await signing_key(one)
        assert await one.verify(await one.sign(8)) == TAKEN
        await load.more(20)
    assert load.refused == []
    assert new != leaked
    assert f"signed by the key {leaked}, which was revoked" in one.log()


async def test_a_broken_configuration_changes_nothing_under_load(nodes: tuple[Node, Node]) -> None:
    one, other = nodes
    config = one.folder / "config.toml"
    good, old = config.read_text(), await signing_key(one)
    async with Load(one) as load:
        await one.command("add", "--from", f"{NOW:%Y-%m-%dT%H:%M:%S}")
        other.fetch_keys(one)  # to look with
        for bad, words in ((good.replace('"shadow"', '"off"'), "should be"), ("garbage", "this is no TOML")):
            config.write_text(bad)
            await asyncio.to_thread(one.reload, "reload refused")
            assert words in one.log()
            assert await signing_key(one, other) == old  # the new key is good, and is not taken over alone
        await load.more(20)
        config.write_text(good)
        await reload(one)
        assert await signing_key(one) not in ("", old)
        await load.more(20)
    for path in load.signed:
        await load.check(path)
    assert load.refused == []


async def test_what_needs_a_restart_is_named_and_the_rest_is_in_force(nodes: tuple[Node, Node]) -> None:
    one, _ = nodes
    config = one.folder / "config.toml"
    text = config.read_text().replace("history.db", "other.db").replace("[log]", '[log]\nlevel = "warning"')
    await one.deliver(await one.sign(7))
    config.write_text(text)
    await asyncio.to_thread(one.reload, "restart needed")
    assert "settings='[storage]'" in one.log()
    await one.deliver(await one.sign(8))
    one.booked(2)  # where they were booked before
    assert one.log().count("event='notice'") == 1
    assert not (one.folder / "other.db").exists()


async def test_a_wiki_comes_and_goes_and_its_bounces_wait_for_a_person(nodes: tuple[Node, Node]) -> None:
    one, _ = nodes
    config = one.folder / "config.toml"
    before, path = config.read_text(), await one.sign(7)
    config.write_text(before.replace(f'id = "{WIKI}"', 'id = "otherwiki"'))
    await reload(one)
    with pytest.raises(AssertionError, match="unknown wiki"):
        await one.sign(7)
    assert await one.verify(path) == TAKEN
    await one.deliver(path)
    [(why,)] = one.rows("SELECT aside FROM notice")
    assert why == f"signed for the wiki {WIKI}, which is not configured"
    assert f"event='wiki removed' wiki='{WIKI}'" in one.log()
    config.write_text(before)
    await reload(one)
    assert await one.verify(await one.sign(7)) == TAKEN
