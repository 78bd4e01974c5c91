"""The judgement of a report: why it failed, and whether that is for good and the recipient's own.

Knows the order of rules and, in _is_hard alone, what may count against an address. Does not know any
provider's wording: that stands in rules/*.toml. First promise: in doubt it is soft.
"""

import re
import tomllib
from dataclasses import dataclass

from .report import Report, ReportAction
from .rule import Category, Rule, RuleError, read_rule, without_addresses

__all__ = ["Category", "Rule", "RuleBook", "RuleError", "Verdict"]

_FAILURES = (ReportAction.FAILED, ReportAction.UNSTATED, ReportAction.DELAYED)
_PERMANENT = (Category.USER_UNKNOWN, Category.HOST_UNKNOWN)

# Whatever rule matched: who speaks of these may mean us, our mail or the moment, not the address.
_EXCUSE = re.compile(
    r"quota|\bfull\b|over(?:[ _-]?the)?[ _-]?limit|insufficient|\bspace\b|\bstorage\b"
    r"|polic(?:y|ies)\b|\bspam|unsolicited|black ?list|block ?list|\bblocked\b|\bbanned\b|reputation"
    r"|gr[ea]y ?list|too (?:many|fast|quickly)|rate[ -]?limit|\bsender\b|temporar",
    re.IGNORECASE,
)

# Google reports a domain that does not exist as 4.0.0; the words are beyond doubt, the code is not.
_NO_SUCH_DOMAIN = re.compile(
    r"\bNXDOMAIN\b|\bno such domain\b|\bnon-?existent domain\b"
    r"|(?<!host or )\bdomain (?:name )?(?:does not exist|not found)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Verdict:
    """What a report means."""

    category: Category
    hard: bool  #: counts against the address
    rule: str  #: id of the rule that matched; "" if none did


@dataclass(frozen=True)
class RuleBook:
    """The rules, in the order in which they are tried."""

    rules: tuple[Rule, ...]

    @classmethod
    def parse(cls, *texts: str) -> "RuleBook":
        """Read TOML files, the one that shall win first: an operator's own stand before the built-in ones.

        Raises RuleError for the first rule, or text, that cannot be used.
        """
        rules: dict[str, Rule] = {}
        for number, text in enumerate(texts, start=1):
            for place, entry in enumerate(_tables(text, number), start=1):
                rule = read_rule(entry, f"rule {place} of file {number}")
                if rule.id in rules:
                    raise RuleError(f"rule {rule.id}: defined twice")
                rules[rule.id] = rule
        return cls(tuple(rules.values()))

    def judge(self, report: Report) -> Verdict:
        """The verdict of the first rule that matches. Pure; soft and undefined if none does.

        A report of success is nobody's failure: soft and undefined, too.
        """
        if report.action not in _FAILURES or report.status.startswith("2"):
            return Verdict(Category.UNDEFINED, False, "")
        words = without_addresses(report.diagnostic)
        for rule in self.rules:
            host = rule.match(report, words)
            if host is not None:
                return Verdict(rule.category, _is_hard(rule.category, report, words, host), rule.id)
        return Verdict(Category.UNDEFINED, False, "")


def _is_hard(category: Category, report: Report, words: str, host: str) -> bool:
    """The only place that says so."""
    if category not in _PERMANENT or report.action is ReportAction.DELAYED:
        return False
    if _EXCUSE.search(words):
        return False
    if "4" in (report.status[:1], report.reply[:1]):
        return category is Category.HOST_UNKNOWN and bool(_NO_SUCH_DOMAIN.search(words))
    return not host or _is_of(host, report)


def _is_of(host: str, report: Report) -> bool:
    """Whether *host* belongs to the recipient's domain. If not, the unknown host may be our own relay."""
    name = host.lower().strip(".")
    domains = [address.rpartition("@")[2].lower().strip(".") for address in (report.address, report.original)]
    return any(domain and (name == domain or name.endswith("." + domain)) for domain in domains)


def _tables(text: str, number: int) -> list[dict[str, object]]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"file {number} is not TOML: {error}") from None
    tables = document.pop("rule", [])
    for name in document:
        raise RuleError(f"file {number}: unknown table or key {name!r}; only [[rule]] is known")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RuleError(f"file {number}: rules are written [[rule]]")
    return tables
