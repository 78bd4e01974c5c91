"""The counts of a campaign, and the table at its end."""

from collections import Counter

from tests.chaos.round import Told

__all__ = ["Tally"]


class Tally:
    """Adds up rounds."""

    def __init__(self) -> None:
        self._rounds: Counter[str] = Counter()  # by the database, as the next
        self._mails: Counter[str] = Counter()
        self._blows: dict[str, Counter[str]] = {}
        self._missed: Counter[tuple[str, str]] = Counter()
        self._sums: Counter[str] = Counter()
        self._waited: list[float] = []
        self.wrongs = 0

    def add(self, server: str, told: Told) -> None:
        self._rounds[server] += 1
        self._mails[server] += told.mails
        self._blows.setdefault(told.fault, Counter()).update(told.blows)
        self._missed.update({(told.fault, what): number for what, number in told.missed.items()})
        for name in ("mails", "attempts", "refusals", "acts", "issued", "unanswered"):
            self._sums[name] += getattr(told, name)
        self._sums["by Postfix"] += told.mails * told.by_postfix
        self._waited += told.waited
        self.wrongs += len(told.wrongs)

    @property
    def blows(self) -> int:
        return sum(blows.total() for blows in self._blows.values())

    def __str__(self) -> str:
        lines = [f"{'fault':12} {'blow':26} {'struck':>7} {'not felt':>9}"]
        for fault, blows in self._blows.items():
            lines += [
                f"{fault:12} {what:26} {number:7} {self._missed[fault, what]:9}"
                for what, number in sorted(blows.items())
            ]
        sums, waited = self._sums, sorted(self._waited) or [0.0]
        return "\n".join(
            [
                *lines,
                *(
                    f"{server}: {rounds} rounds, {self._mails[server]} mails"
                    for server, rounds in self._rounds.items()
                ),
                f"{self._rounds.total()} rounds, {self.blows} blows",
                f"{sums['mails']} mails ({sums['by Postfix']} by Postfix) in {sums['attempts']} attempts, "
                f"{sums['refusals']} of them put off",
                f"{sums['acts']} acts of the wikis",
                f"{sums['issued']} return paths, {sums['unanswered']} times none; the wiki's hook waited "
                f"{_at(waited, 0.5):.1f} ms (median), {_at(waited, 0.999):.1f} (of a thousand one longer), "
                f"{_at(waited, 1.0):.1f} (longest)",
                f"wrong: {self.wrongs}",
            ]
        )


def _at(ordered: list[float], share: float) -> float:
    """Milliseconds that this share of them did not exceed."""
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
