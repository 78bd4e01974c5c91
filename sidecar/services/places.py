"""Places: how many calls to wikis are under way at once, so that trouble never takes them all.

Knows which wikis are being called. Does not know why a wiki is in trouble, nor how one is called.

A wiki that hangs is silent for some ten seconds. Its call gives its place back after PROMPT and goes on
aside; so a hundred wikis that hang delay the others by seconds, once: from then on they are in trouble, and
those have a few places only.
"""

__all__ = ["ASIDE", "CALLS", "PROBATION", "PROMPT", "Places"]

CALLS = 16  # at the same time to wikis that answer at once: a farm's servers are not stormed
PROMPT = 1.0  # seconds; a healthy wiki answers in a tenth
ASIDE = 80  # more, that last longer than that: a thread each, some 100 KB
PROBATION = 8  # at most, of all, to wikis that failed the last time


class Places:
    """One call a wiki."""

    def __init__(self) -> None:
        self.busy: set[str] = set()
        self._slow: set[str] = set()
        self._on_probation: set[str] = set()

    @property
    def free(self) -> bool:
        """Whether another call may begin."""
        return len(self.prompt) < CALLS and len(self.busy) < CALLS + ASIDE

    @property
    def prompt(self) -> set[str]:
        """The wikis whose calls have not lasted long."""
        return self.busy - self._slow

    @property
    def probation_full(self) -> bool:
        """Whether no other wiki that failed the last time may be called now."""
        return len(self._on_probation) >= PROBATION

    def take(self, wiki: str, *, on_probation: bool = False) -> None:
        self.busy.add(wiki)
        if on_probation:
            self._on_probation.add(wiki)

    def step_aside(self, wiki: str) -> None:
        """The call lasts."""
        if wiki in self.busy:
            self._slow.add(wiki)

    def leave(self, wiki: str) -> None:
        """The call has ended."""
        for group in (self.busy, self._slow, self._on_probation):
            group.discard(wiki)
