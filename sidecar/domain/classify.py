"""The judgement of a report: why it failed, and whether that is for good and the recipient's own.

Knows the order of rules and, in _veto alone, what may count against an address. Does not know any
provider's wording: that stands in rules/*.toml. First promise: in doubt it is soft.
"""

from dataclasses import dataclass
from functools import cached_property

from .pattern import Phrase
from .report import Report, ReportAction
from .rule import Category, Match, Rule, RuleError, Veto, sample_report
from .sought import InOrder, Sought
from .table import Table, read_tables
from .wording import Words, addresses_in, words_of

__all__ = ["HARD_CAPABLE", "Category", "Rule", "RuleBook", "RuleError", "Verdict", "problems"]

_FAILURES = (ReportAction.FAILED, ReportAction.UNSTATED, ReportAction.DELAYED)

#: The categories that are permanent and the recipient's own. No other ever counts.
HARD_CAPABLE = frozenset(
    {
        Category.USER_UNKNOWN,
        Category.MOVED,
        Category.HOST_UNKNOWN,
        Category.NOT_ACCEPTING,
        Category.MAILBOX_DISABLED,
    }
)

# Vetoes that need more than words; those that are words stand in the rule files.
_WARNING = "only-delayed"
_CLASS_4 = "class-4"
_OTHER_HOST = "another-host"
_OTHER_ADDRESS = "another-address"

# What is said of a mailbox. Whoever moved is named by the new address.
_MAILBOX = (Category.USER_UNKNOWN, Category.MAILBOX_DISABLED)


@dataclass(frozen=True)
class Verdict:
    """What a report means."""

    category: Category
    hard: bool  #: counts against the address
    rule: str  #: id of the rule that matched; "" if none did
    words: str = ""  #: what the rule matched, for the operator to see why; never a mail address
    veto: str = ""  #: why a category that may count does not; "" where nothing hindered


@dataclass(frozen=True)
class RuleBook:
    """The rules, in the order in which they are tried, and the vetoes."""

    rules: tuple[Rule, ...]
    vetoes: tuple[Veto, ...] = ()

    @classmethod
    def parse(cls, *files: tuple[str, str], then: "RuleBook | None" = None) -> "RuleBook":
        """Read TOML files, each its name and its text, the one that shall win first.

        *then* is tried after them: the built-in rules behind an operator's own. Raises RuleError with all
        that is wrong, a line each.
        """
        book, wrong = _read(files, then)
        if wrong:
            raise RuleError("\n".join(wrong))
        return book

    @classmethod
    def known(cls, *files: tuple[str, str]) -> "RuleBook":
        """What parse makes of *files* in which it finds nothing wrong; for ours, a test holds that.

        To check them is a quarter of a daemon's processor time until it serves. Raises RuleError for what
        cannot be read.
        """
        table = read_tables(files, Phrase)
        if table.problems:
            raise RuleError("\n".join(table.problems))
        return cls(tuple(table.rules), tuple(table.vetoes))

    def judge(self, report: Report, may_count: frozenset[Category] = HARD_CAPABLE) -> Verdict:
        """The verdict of the first rule that matches. Pure; soft and undefined if none does.

        A report of success is nobody's failure: soft and undefined, too. Only categories that are both in
        *may_count* and in HARD_CAPABLE are ever hard.
        """
        if report.action not in _FAILURES or report.status.startswith("2"):
            return Verdict(Category.UNDEFINED, False, "")
        words = self.words_of(report)
        for rule in self._in_order.among(words.present):
            match = rule.match(report, words)
            if match is None:
                continue
            if rule.category not in may_count & HARD_CAPABLE:
                return Verdict(rule.category, False, rule.id, match.words)
            veto = self._veto(rule, report, words, match)
            return Verdict(rule.category, not veto, rule.id, match.words, veto)
        return Verdict(Category.UNDEFINED, False, "")

    def words_of(self, report: Report) -> Words:
        """The words of *report*, asked for all that any rule or veto needs."""
        return words_of(report.diagnostic, self._needed)

    @cached_property
    def _needed(self) -> Sought:
        texts = [rule.text for rule in self.rules] + [veto.text for veto in self.vetoes]
        return Sought(word for text in texts for phrase in text for word in phrase.needed)

    @cached_property
    def _in_order(self) -> InOrder[Rule]:
        return InOrder(self.rules)

    def _veto(self, rule: Rule, report: Report, words: Words, match: Match) -> str:
        """The only place that says no: what keeps a category that may count from being hard."""
        if report.action is ReportAction.DELAYED:
            return _WARNING
        if "4" in (report.status[:1], report.reply[:1]) and not rule.certain:
            return _CLASS_4
        if match.host and not _is_of(match.host, report):
            return _OTHER_HOST  # our own relay may be meant
        if rule.category in _MAILBOX and _names_another(report):
            return _OTHER_ADDRESS  # the sender's, or one that the mail was forwarded to
        return next((veto.id for veto in self.vetoes if veto.holds(words)), "")


def problems(*files: tuple[str, str], then: RuleBook | None = None) -> list[str]:
    """All that RuleBook.parse would refuse, each with file, rule and reason; empty if nothing."""
    return _read(files, then)[1]


def _read(files: tuple[tuple[str, str], ...], then: RuleBook | None) -> tuple[RuleBook, list[str]]:
    table = read_tables(files)
    wrong = [*table.problems]
    behind = then or RuleBook(())
    taken = {rule.id for rule in behind.rules} | {veto.id for veto in behind.vetoes}
    wrong += [
        f"{file}: rule {name}: the id is taken by a built-in rule"
        for name, file in table.files.items()
        if name in taken
    ]
    book = RuleBook((*table.rules, *behind.rules), (*table.vetoes, *behind.vetoes))
    return book, wrong + _lost_samples(table, book)


def _lost_samples(table: Table, book: RuleBook) -> list[str]:
    """The samples of *table* that do not reach their own rule or veto."""
    wrong = []
    for rule in table.rules:
        for sample in rule.samples:
            report = sample_report(sample)
            if rule.match(report, book.words_of(report)) is None:
                reason = f"does not match its own sample {sample!r}"
            elif (first := book.judge(report).rule) != rule.id:
                reason = f"sample {sample!r} reaches rule {first!r} first"
            else:
                continue
            wrong.append(f"{table.files[rule.id]}: rule {rule.id}: {reason}")
    for veto in table.vetoes:
        for sample in veto.samples:
            if not veto.holds(book.words_of(sample_report(sample))):
                reason = f"does not match its own sample {sample!r}"
                wrong.append(f"{table.files[veto.id]}: veto {veto.id}: {reason}")
    return wrong


def _is_of(host: str, report: Report) -> bool:
    """Whether *host* belongs to the recipient's domain."""
    name = host.lower().strip(".")
    domains = [address.rpartition("@")[2].lower().strip(".") for address in (report.address, report.original)]
    return any(domain and (name == domain or name.endswith("." + domain)) for domain in domains)


def _names_another(report: Report) -> bool:
    """Whether the diagnostic names mailboxes, and none by the recipient's name or of its domain."""
    named = addresses_in(report.diagnostic)
    ours = {address.lower().rpartition("@")[0] for address in (report.address, report.original)}
    return bool(named) and not any(
        name.lower().rpartition("@")[0] in ours or _is_of(name.rpartition("@")[2], report) for name in named
    )
