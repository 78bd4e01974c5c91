"""Looking at the wikis: some at a time, none for long, and none with a password that it has refused.

Knows whom to ask first, and when to stop. Does not know what is good: wiki_words.py does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from types import MappingProxyType

from sidecar.configuration.configured import WikiConfig
from sidecar.doctor.limit import broken
from sidecar.doctor.wiki_words import Seen, judged
from sidecar.domain.access import Adapter
from sidecar.domain.examination import Examinable, Examination
from sidecar.domain.finding import Finding, about, unknown, wrong
from sidecar.domain.wiki import LoginRefused, LoginThrottled, WikiError
from sidecar.edges import tls_look
from sidecar.storage.circuits import SHARED, Standing
from sidecar.threads import Room

__all__ = ["Examiner"]

AT_A_TIME = 8
NOBODY: Mapping[str, date] = MappingProxyType({})
PATIENCE = 240.0  # seconds for all of them: what is not answered then is not waited for

Open = Callable[[WikiConfig], Examinable]


class Examiner:
    """One round of the wikis."""

    def __init__(
        self,
        open_wiki: Open,
        clock: Callable[[], datetime],
        circuits: Mapping[str, Standing],
        central: Callable[[str], bool],
        signed: Mapping[str, date] = NOBODY,
        *,
        login: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        """*central*: whether a wiki's accounts may be global; *signed*: when mail of each was signed last.

        *login*: try also what was refused.
        """
        self._open, self._clock, self._circuits, self._central = open_wiki, clock, circuits, central
        self._signed, self._login, self._patience = signed, login, patience
        self._refused: dict[str, str] = {}  # login -> who has refused it in this round
        self.unfinished = False  #: somebody still waits for an answer, in a thread

    async def findings(self, wikis: Sequence[WikiConfig]) -> AsyncIterator[list[Finding]]:
        """Of each wiki, as they come. One of each login goes first: a farm may throttle for all its wikis."""
        room, alone = Room("doctor", AT_A_TIME), Room("doctor-pywikibot")  # pywikibot: one at a time
        deadline = asyncio.get_running_loop().time() + self._patience
        firsts = list({wiki.login: wiki for wiki in reversed(wikis)}.values())[::-1]
        others = [wiki for wiki in wikis if wiki not in firsts]
        for group in (firsts, others):
            async for found in self._round(group, room, alone, deadline):
                yield found
        if not self.unfinished:
            room.close()
            alone.close()

    async def _round(
        self, wikis: Iterable[WikiConfig], room: Room, alone: Room, deadline: float
    ) -> AsyncIterator[list[Finding]]:
        tasks: dict[asyncio.Future[Seen], WikiConfig] = {}
        for wiki in wikis:
            place = alone if wiki.adapter is Adapter.PYWIKIBOT else room
            tasks[asyncio.ensure_future(place.run(partial(self._look, wiki)))] = wiki
        waiting = set(tasks)
        while waiting:
            left = deadline - asyncio.get_running_loop().time()
            done, waiting = await asyncio.wait(waiting, timeout=max(0.0, left), return_when="FIRST_COMPLETED")
            for task in sorted(done, key=lambda task: tasks[task].id):
                error = task.exception()
                found = [broken(error)] if error else judged(tasks[task], task.result())
                yield about(f"wiki {tasks[task].id}", found)
            if not done:
                break
        for task in waiting:
            task.cancel()
            self.unfinished = True
            said = f"no answer within {self._patience:g} s, the others before it counted"
            yield about(f"wiki {tasks[task].id}", [unknown(said, f"doctor --wiki {tasks[task].id}")])

    def _look(self, wiki: WikiConfig) -> Seen:
        """In a thread."""
        try:
            certificate = None if tls_look.by_proxy(wiki.api) or not wiki.api else tls_look.look(wiki.api)
        except tls_look.CannotReach as error:
            return Seen(unreached=wrong(str(error), error.remedy))
        refused = "" if self._login else self._known_refusal(wiki)
        before = self._clock()
        line = self._open(wiki)
        try:
            found = line.examine(login=not refused)
            central = self._ask_central(wiki, line, found)
        finally:
            line.close()
        if isinstance(found.trouble, LoginRefused | LoginThrottled):
            self._refused[wiki.login] = wiki.id
        signed = self._signed.get(wiki.id)
        silent = bool(self._signed) and signed is None
        return Seen(found, None, certificate, before, self._clock(), refused, central, signed, silent)

    def _known_refusal(self, wiki: WikiConfig) -> str:
        """Who has refused this very login, and when; "" if nobody has."""
        if other := self._refused.get(wiki.login):
            return f"{other} has refused the same login just now"
        own, shared = self._circuits.get(wiki.id), self._circuits.get(SHARED + wiki.login)
        row = own if own and own.credential == wiki.login else shared
        return f"{row.why} ({row.changed:%Y-%m-%d %H:%M})" if row else ""

    def _ask_central(self, wiki: WikiConfig, line: Examinable, found: Examination) -> WikiError | None:
        """Of our own account: any would do."""
        if not (self._central(wiki.id) and found.account and found.account.user_id):
            return None
        try:
            line.identify(found.account.user_id)
        except WikiError as error:
            return error
        return None
