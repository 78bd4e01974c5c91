"""The demonstration: the real sidecar, a practice wiki, and ten days of mail in some seconds.

Knows how to play fixtures/scenarios/demo.toml through the real sockets; other stories are played without them
(scenario/). Does not judge: what it shows is what the history and the wiki hold in the end.
"""

import asyncio
import secrets
import smtplib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from sidecar import config_files, daemon, host
from sidecar.configuration import config
from sidecar.domain.policy import Policy, Streak
from sidecar.edges.socketmap import netstring
from sidecar.recorded import fixtures
from sidecar.scenario.mails import forged, written
from sidecar.scenario.reading import read_scenario
from sidecar.scenario.script import Come, Confirm, Person, Scenario, Send, What
from sidecar.services.circuit import Pauses
from sidecar.storage import actions, ledger
from sidecar.storage.database import Database
from wiki_adapter.practice_wiki import PracticeWiki

__all__ = ["Fate", "play"]

WIKI = "demowiki"
CONFIRMED = {True: "confirmed", False: "un-confirmed"}
PATIENCE = 30.0  # seconds for anything that should happen at once

CONFIG = """\
[verp]
domain = "bounces.example.org"
keys_file = "verp.keys"
[sockets]
directory = "{folder}"
[storage]
url = "sqlite:///{folder}/history.db"
[rules]
directory = "{folder}/rules.d"
[policy]
mode = "enforce"
[brake]
delay_minutes = 0
[[wikis]]
id = "{wiki}"
api = "{api}"
account = "{account}"
password_file = "bot.password"
"""


@dataclass(frozen=True)
class Fate:
    """What became of one user."""

    name: str
    address: str
    story: str
    mails: int
    came_back: int
    expected: str
    found: str  #: "confirmed" or "un-confirmed": what the wiki holds
    why: str


@dataclass
class _Player:
    """One user of the story, on the wiki."""

    person: Person
    user_id: int
    mails: int = 0
    came_back: int = 0
    paths: dict[str, str] = field(default_factory=dict)  #: the return path of each mail
    refused: list[str] = field(default_factory=list)  #: what the LMTP door said to forged mail


class _Clock:
    def __init__(self, time: datetime) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time


async def play(tell: Callable[[str], None]) -> list[Fate]:
    """Play the story; returns what became of each user. Raises TimeoutError if the sidecar hangs."""
    story = read_scenario((fixtures() / "scenarios" / "demo.toml").read_text("utf-8"))
    start = host.now().replace(microsecond=0) - story.until
    with tempfile.TemporaryDirectory(prefix="bounce-demo-") as name, PracticeWiki() as wiki:
        folder = Path(name)
        players = [_Player(person, _on_the_wiki(wiki, person, start)) for person in story.people]
        tell(f"a practice wiki with {len(players)} users at {wiki.api_url}")
        settings, clock = _configure(folder, wiki), _Clock(start)
        world = daemon.World(clock=clock, pauses=Pauses(first=timedelta(0)))
        stop, ready = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(daemon.run(settings, world=world, stop=stop, ready=ready.set))
        try:
            await _until(ready.wait(), serving)
            tell(f"the sidecar, with SQLite, at {folder}")
            stage = _Stage(settings, wiki, clock, players)
            for _, day in groupby(story.events, key=lambda event: event[0].days):
                await _until(stage.day(start, list(day)), serving)
            tell(f"{story.events[-1][0].days + 1} days later")
            return await stage.fates(story)
        finally:
            stop.set()
            await serving


def _on_the_wiki(wiki: PracticeWiki, person: Person, start: datetime) -> int:
    since = None if person.confirmed is None else start + person.confirmed
    return wiki.add_user(person.name, person.address, since, person.groups)


def _configure(folder: Path, wiki: PracticeWiki) -> config.Config:
    secret_files = {"verp.keys": secrets.token_urlsafe(48), "bot.password": wiki.password}
    for name, content in secret_files.items():
        (folder / name).touch(0o600)
        (folder / name).write_text(content, "utf-8")
    text = CONFIG.format(folder=folder, wiki=WIKI, api=wiki.api_url, account=wiki.account)
    return config.parse(text, config_files.secret_reader(folder, None))


async def _until(work: Any, serving: "asyncio.Task[None]") -> None:
    """Wait for *work*, but not for a sidecar that has given up."""
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait({task, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        task.cancel()
        serving.result()
    await task


class _Stage:
    """The wiki's and the mail server's part of the play."""

    def __init__(
        self, settings: config.Config, wiki: PracticeWiki, clock: _Clock, players: list[_Player]
    ) -> None:
        self._settings, self._wiki, self._clock, self._players = settings, wiki, clock, players

    async def day(self, start: datetime, events: list[tuple[timedelta, What]]) -> None:
        """The mails of one day, and the bounces that they cause."""
        for at, what in events:
            self._clock.time = start + at
            match what:
                case Confirm(person):
                    self._wiki.confirm(self._players[person].user_id, self._clock())
                case Send(person, mail):
                    await self._send(self._players[person], mail)
                case Come(person):
                    await self._come(self._players[person], what)
        await self._paid()

    async def _send(self, player: _Player, mail: str) -> None:
        player.mails += 1
        player.paths[mail] = await self._ask(f"verp {WIKI} {player.user_id} {player.person.address}")

    async def _come(self, player: _Player, what: Come) -> None:
        player.came_back += 1
        path = forged(player.paths[what.mail]) if what.forged else player.paths[what.mail]
        raw = written(what.answer, what.about or player.person.address, path, self._clock())
        for _ in range(what.deliveries):
            if said := await asyncio.to_thread(self._deliver, path, raw):
                player.refused.append(said)

    async def _ask(self, request: str) -> str:
        """The wiki's hook: one question on the Unix socket."""
        reader, writer = await asyncio.open_unix_connection(self._settings.listen.verp)
        writer.write(netstring(request))
        length = int((await reader.readuntil(b":"))[:-1])
        answer = (await reader.readexactly(length + 1))[:-1].decode()
        writer.close()
        if not answer.startswith("OK "):
            raise RuntimeError(f"the sidecar gave no return path: {answer}")
        return answer.removeprefix("OK ")

    def _deliver(self, return_path: str, raw: bytes) -> str:
        """The mail server: one bounce by LMTP. Returns the refusal, "" if it was taken."""
        with smtplib.LMTP(str(self._settings.listen.lmtp), timeout=PATIENCE) as mta:
            try:
                mta.sendmail("", [return_path], raw)
            except smtplib.SMTPRecipientsRefused as refused:
                code, words = refused.recipients[return_path]
                return f"{code} {words.decode()}"
        return ""

    async def _paid(self) -> None:
        """Wait until nothing is owed to the wiki."""
        database = Database(self._settings.storage_url)
        while await database.read(actions.waiting):  # noqa: ASYNC110  (another process's database)
            await asyncio.sleep(0.01)
        await database.close()

    async def fates(self, story: Scenario) -> list[Fate]:
        database = Database(self._settings.storage_url)
        try:
            return [await self._fate(database, player, story) for player in self._players]
        finally:
            await database.close()

    async def _fate(self, database: Database, player: _Player, story: Scenario) -> Fate:
        bounces = await database.read(lambda connection: ledger.of_user(connection, WIKI, player.user_id))
        decided = await database.read(
            lambda connection: actions.entries(connection, wiki=WIKI, user_id=player.user_id)
        )
        held = self._wiki.mailbox(player.user_id)
        return Fate(
            name=player.person.name,
            address=player.person.address,
            story=player.person.story,
            mails=player.mails,
            came_back=player.came_back,
            expected=CONFIRMED[story.expected.users[player.person.group].confirmed is True],
            found=CONFIRMED[held.confirmed_at is not None],
            why=_why(bounces, decided, player.refused, self._settings.policies[WIKI]),
        )


def _why(
    bounces: Sequence[ledger.Bounce], decided: list[actions.Entry], refused: list[str], policy: Policy
) -> str:
    """The history of one user in a sentence."""
    for entry in decided:
        if entry.effect == "changed" and entry.confirmed_at:
            return f"{entry.reason}, but confirmed again on {entry.confirmed_at:%Y-%m-%d}"
        return f"{entry.reason}; the wiki said: {entry.effect}"
    if refused:
        return f"refused: {refused[0]}"
    hard = [bounce.sent for bounce in bounces if bounce.hard]
    if hard and isinstance(policy.rule, Streak):
        span = (max(hard) - min(hard)).days
        wanted = f"{policy.rule.hard_bounces} over {policy.rule.span.days} days are wanted"
        return f"{len(hard)} hard bounce{'s' if len(hard) > 1 else ''} over {span} days; {wanted}"
    if bounces:
        return f"never counts: {', '.join(sorted({bounce.category for bounce in bounces}))}"
    return "no bounce: a warning or an automatic answer never counts"
