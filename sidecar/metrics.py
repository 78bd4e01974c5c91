"""Every metric, with what to do when it moves.

Knows names, labels and help. Does not know when something counts, nor who asks. Labels are words of our own,
a few for each metric; a wiki's name is one only while that wiki is in trouble.
"""

import collections

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from sidecar.tallies import Durations, LabelledDurations, LabelledTallies

__all__ = ["METRICS", "Door", "Metrics"]

#: What it counts, and what to do when it moves.
METRICS = {
    "build_info": "The program's version, and that of the tables that it was written for; empty on a node "
    "without a database. Several at once on one database for long: a node was left out when the others "
    "were upgraded.",
    "trouble": "What `bounce-sidecar status` calls trouble, by kind: 1 while it lasts, else 0. 1: "
    "docs/runbook.md has a section for each kind, with what to look at and how to mend it.",
    "looked_timestamp_seconds": "When these gauges were last looked up, every 15 seconds. Minutes old: "
    "all that waits is as it was then; the database hangs or the daemon is overwhelmed: its log, then "
    "the host's load.",
    "notices": "Mails that came to a return path and were booked, by receipt and by kind. None for a day "
    "while the wiki sends mail: the mail server does not deliver here; look at its queue.",
    "bounces": "Failures that were booked, by category and by whether they count. Many of one soft "
    "category: a provider refuses the wiki's mail; see `history`, and mend the sending.",
    "last_notice_timestamp_seconds": "When the newest mail of the history came, whichever node took it; "
    "NaN if none ever did. Older than usual while the wiki sends: the runbook's section on silence.",
    "set_aside_waiting": "Mails that nobody understood and that wait for a person. Not 0: read `aside "
    "list`, write a rule or configure the wiki, then `aside reread`.",
    "refused": "Envelope recipients that were refused at RCPT or over HTTP, by receipt. Many forged: "
    "forgers, or a key was removed too early. Many too late: the mail server's queue lives longer than "
    "accept_days.",
    "intake_seconds": "How long a mail server waited from the end of a mail to our answer, by door. "
    "Seconds: the disk or the database is slow; a minute is answered with 451, and the mail comes again.",
    "temporary_failures": "What was answered 451, 503 or TEMP, or hung up on, by door and by why: "
    "trouble, late, full, connections. Nothing is lost, all of it is asked again; many: the log's "
    "`intake failed` says why.",
    "connections": "Connections that are open now, by door. Near the limit (100 for lmtp and http, 50 "
    "for the dashboard, 500 for the others): who opens so many, a mail server's queue that is let go, or "
    "somebody strange?",
    "answer_seconds": "How long it took to answer a lookup, by door: verp signs for the wiki, which waits "
    "50 ms at most; policy and socketmap are asked at RCPT. More than a millisecond: the host has no "
    "processor left.",
    "actions": "How calls to the wikis ended, by result. Many postponed: a wiki is in trouble. Any "
    "misconfigured or dead: the log names the wiki and the remedy.",
    "last_action_timestamp_seconds": "When an action was last settled, whichever node did it; NaN if none "
    "ever was. Long ago while actions are due: a wiki is in trouble, or no node acts; `outbox` and "
    "`wikis list --trouble`.",
    "wiki_call_seconds": "How long a call to a wiki took, by how it ended: ok, refused, unavailable, "
    "misconfigured. Seconds: the wiki is slow; what is owed waits and nothing is lost, but look at its "
    "API from this host.",
    "inquiries": "Questions to the wikis to whom an account belongs, by answer: person, local, or none. "
    "Many none: what is owed waits until the wiki has answered; the log names the wiki and why.",
    "outbox_waiting": "Actions that are owed to the wikis. Growing for hours: a wiki is down or "
    "misconfigured; see `outbox`.",
    "oldest_due_seconds": "For how long the oldest action that is due has waited; 0 if none is. More than "
    "an hour: no node acts, or a wiki is in trouble; `outbox` says which, `wikis list --trouble` why.",
    "brakes_tripped": "Brakes that hold actions back. Not 0: too many users failed at once; `brake list` "
    "says whose, then `brake release` or `brake discard`.",
    "return_paths": "Return paths that the wikis asked for, by result. None issued while the wiki sends "
    "mail: its hook does not reach the socket. Any refused: the wiki's debug log says why.",
    "last_signed_timestamp_seconds": "When a mail was last signed, whichever node did it; NaN if none "
    "ever was. Long ago while the wiki sends mail: its hook does not reach the socket; ask it with `mta "
    "... --check`.",
    "events": "Events of Amazon SES that came through SNS, by type; booked or with nothing to book. "
    "Bounces stay away while deliveries come: the topic does not get them; see the set-up in http.md.",
    "sends": "Mails signed for users with an open streak, by whether they were noted; and everybody's "
    "that were told to another node. Any lost: proofs that mail arrives are missing; the database, or "
    "that node, was slow or down, see the log.",
    "database_up": "Whether the database did its part the last time: 1 or 0. 0 for minutes: bounces wait "
    "in the mail server's queue and nothing is lost; the log says why, and /readyz does.",
    "database_errors": "Transactions that failed for the database's sake, after all tries. Some, now and "
    "then: it was restarted. Many: look at its log and at max_connections.",
    "database_seconds": "How long a transaction took, by read or write, with waiting for a turn and all "
    "tries. Writes of a second: the disk's fsync is slow, or somebody holds the lock; each bounce waits "
    "for one.",
    "signing_processes_lost": "Processes that sign for the daemon and ended by themselves; others took their "
    "place within a second or two. Any: the log says when; was one killed, as for want of memory?",
    "watched_users": "Users with an open streak, whose mails are noted. Growing fast: many addresses "
    "fail; see `history` of some of them.",
    "wikis": "Wikis that are known: configured, and of the sitematrix. Falls: `wikis list` says which are "
    "left, `wikis refresh` why.",
    "circuits_open": "Wikis that are left alone for seconds to minutes, because they are down or refuse "
    "the login. Not 0 for long: `wikis list --trouble` says which and why; 0 where nothing is owed to "
    "them.",
    "wiki_trouble": "1 for each wiki that failed the last time, and lately, by why: unavailable, login, "
    "misconfigured, certificate; of a hundred at most. There for an hour: `wikis list --trouble` has the "
    "wiki's own words.",
    "canary_rounds": "Bounces that we sent to ourselves, by result: returned, late ones too; lost; or "
    "failed: they did not even leave. Any lost or failed: the mail server does not bring bounces here; see "
    "`status`.",
    "canary_seconds": "How long the last of them that came back was under way. Growing: the mail server is "
    "slow; look at its queue.",
    "reload_good": "Whether the last reload was taken over: 1, or 0 if it was refused. 0: the daemon runs as "
    "before, and its next start will fail; `check-config` says what is wrong.",
    "reloads": "Times that the configuration was read again, by result. Refused: all is as before; "
    "`check-config` says what is wrong with it.",
}

#: By metric and labels.
Numbers = collections.Counter[tuple[str, tuple[str, ...]]]

_SIGNING = ("return_paths", "sends", "temporary_failures")

_MAIL_WAITS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # seconds; 60 is our patience
_LOOKUP_TAKES = (
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
)  # 50 ms is the hook's
_WIKI_TAKES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

# Else each has a second series that says since when; process_start_time_seconds does.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """What is counted, in a registry of its own. Counted after the commit, so that a 451 counts nothing."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_the_mail()
        self._of_the_doors()
        self._of_the_wikis()
        self._of_the_house()

    def _of_the_mail(self) -> None:
        self.notices = self._counter("notices", "receipt", "kind")
        self.bounces = self._counter("bounces", "category", "hard")
        self.set_aside_waiting = self._gauge("set_aside_waiting")
        self.return_paths = self._tallies("return_paths", "result", known=("issued", "refused"))
        self.sends = self._counter("sends", "result", known=("noted", "told", "lost"))
        self.signing_processes_lost = self._counter("signing_processes_lost")
        self.watched_users = self._gauge("watched_users")
        self.events = self._counter("events", "type")
        self.last_notice = self._time("last_notice_timestamp_seconds")
        self.last_signed = self._time("last_signed_timestamp_seconds")

    def _of_the_doors(self) -> None:
        self.refused = self._counter("refused", "receipt")
        self.temporary_failures = self._counter("temporary_failures", "door", "why")
        self.connections = self._gauge("connections", "door")
        self.intake_seconds = self._histogram("intake_seconds", "door", buckets=_MAIL_WAITS)
        self.answer_seconds = self._durations("answer_seconds", "door", bounds=_LOOKUP_TAKES)

    def _of_the_wikis(self) -> None:
        self.actions = self._counter("actions", "result")
        self.inquiries = self._counter("inquiries", "answer", known=("person", "local", "none"))
        self.outbox_waiting = self._gauge("outbox_waiting")
        self.oldest_due = self._gauge("oldest_due_seconds")
        self.brakes_tripped = self._gauge("brakes_tripped")
        self.wikis = self._gauge("wikis")
        self.circuits_open = self._gauge("circuits_open")
        self.wiki_trouble = self._gauge("wiki_trouble", "wiki", "why")
        self.wiki_call_seconds = self._histogram("wiki_call_seconds", "result", buckets=_WIKI_TAKES)
        self.last_action = self._time("last_action_timestamp_seconds")

    def _of_the_house(self) -> None:
        self.build = self._gauge("build_info", "version", "schema")
        self.trouble = self._gauge("trouble", "kind", "severity")
        self.looked = self._time("looked_timestamp_seconds")
        self.reloads = self._counter("reloads", "result", known=("loaded", "refused"))
        self.canary_rounds = self._counter("canary_rounds", "result", known=("returned", "lost", "failed"))
        self.canary_seconds = self._gauge("canary_seconds")
        self.reload_good = self._gauge("reload_good")
        self.reload_good.set(1)
        self.database_up = self._gauge("database_up")
        self.database_errors = self._counter("database_errors")
        self.database_seconds = self._histogram("database_seconds", "what", buckets=_MAIL_WAITS)

    def signing_numbers(self) -> Numbers:
        """What somebody who only signs counts, as of now; his refusals and durations not among it."""
        return Numbers(
            {
                (name, tuple(sample.labels.values())): int(sample.value)
                for name in _SIGNING
                for family in getattr(self, name).collect()
                for sample in family.samples
            }
        )

    def add(self, numbers: Numbers) -> None:
        """What was counted elsewhere."""
        for (name, labels), number in numbers.items():
            getattr(self, name).labels(*labels).inc(number)

    def _counter(self, name: str, *labels: str, known: tuple[str, ...] = ()) -> Counter:
        """*known* are there from the start, with 0: what was never there has no rate."""
        counter = Counter(f"bounce_sidecar_{name}", METRICS[name], labels, registry=self.registry)
        for one in known:
            counter.labels(one)
        return counter

    def _tallies(self, name: str, label: str, *, known: tuple[str, ...]) -> LabelledTallies:
        tallies = LabelledTallies(f"bounce_sidecar_{name}", METRICS[name], label)
        for one in known:
            tallies.labels(one)
        self.registry.register(tallies)
        return tallies

    def _durations(self, name: str, label: str, *, bounds: tuple[float, ...]) -> LabelledDurations:
        durations = LabelledDurations(f"bounce_sidecar_{name}", METRICS[name], label, bounds)
        self.registry.register(durations)
        return durations

    def _gauge(self, name: str, *labels: str) -> Gauge:
        return Gauge(f"bounce_sidecar_{name}", METRICS[name], labels, registry=self.registry)

    def _time(self, name: str) -> Gauge:
        gauge = self._gauge(name)
        gauge.set(float("nan"))  # never; a 0 would be 1970, and more than any alert waits for
        return gauge

    def _histogram(self, name: str, label: str, *, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"bounce_sidecar_{name}", METRICS[name], [label], registry=self.registry, buckets=buckets
        )


class Door:
    """What one door counts of those who come to it."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        failed = metrics.temporary_failures
        self.trouble = failed.labels(name, "trouble")  #: our mistake, or the database's
        self.late = failed.labels(name, "late")  #: nobody waits so long
        self.full = failed.labels(name, "full")  #: so much is with the intake already
        self.turned_away = failed.labels(name, "connections")  #: one connection too many
        self.open = metrics.connections.labels(name)
        self._metrics, self._name = metrics, name

    def mail(self) -> Histogram:
        """From the end of a mail to the answer."""
        return self._metrics.intake_seconds.labels(self._name)

    def lookups(self) -> Durations:
        """From a question to its answer."""
        return self._metrics.answer_seconds.labels(self._name)
