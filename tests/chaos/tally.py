"""The counts of a campaign, and the table at its end."""

from collections import Counter

from tests.chaos.round import Told

__all__ = ["Tally"]


class Tally:
    """Adds up rounds."""

    def __init__(self) -> None:
        self._rounds: Counter[str] = Counter()
        self._blows: dict[str, Counter[str]] = {}
        self._missed: Counter[tuple[str, str]] = Counter()
        self._sums: Counter[str] = Counter()
        self.wrongs = 0

    def add(self, told: Told) -> None:
        self._rounds[told.fault] += 1
        self._blows.setdefault(told.fault, Counter()).update(told.blows)
        self._missed.update({(told.fault, what): number for what, number in told.missed.items()})
        for name in ("mails", "attempts", "refusals", "acts", "issued", "unanswered"):
            self._sums[name] += getattr(told, name)
        self._sums["by Postfix"] += told.mails * told.by_postfix
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
        sums = self._sums
        return "\n".join(
            [
                *lines,
                f"{self._rounds.total()} rounds, {self.blows} blows",
                f"{sums['mails']} mails ({sums['by Postfix']} by Postfix) in {sums['attempts']} attempts, "
                f"{sums['refusals']} of them put off",
                f"{sums['acts']} acts of the wikis",
                f"{sums['issued']} return paths, {sums['unanswered']} times none within the hook's 50 ms",
                f"wrong: {self.wrongs}",
            ]
        )
