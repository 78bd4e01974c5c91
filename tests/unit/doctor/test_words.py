"""Wikis, signs of life and clocks, judged by tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sidecar.configuration.configured import WikiConfig
from sidecar.doctor import clock, signs_of_life
from sidecar.doctor.wiki_words import Seen, judged
from sidecar.domain.access import Adapter, BotPassword, OAuth2
from sidecar.domain.examination import About, Account, Examination, Step
from sidecar.domain.finding import State
from sidecar.domain.trouble import Tolerance
from sidecar.domain.verp import BounceHandlerFormat
from sidecar.domain.vitals import Braked, CanaryRound, NodeSign, Vitals
from sidecar.domain.wiki import LoginThrottled, WikiMisconfigured
from wiki_adapter.examining import shipped

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WIKI = WikiConfig("enwiki", "https://wiki.example.org/w/api.php", BotPassword("Bot@x", "s"))
OURS = {shipped.name: shipped.version}
ABOUT = About(
    "enwiki", "MediaWiki 1.43.0", NOW, {shipped.name: shipped.version}, frozenset({"bouncesidecar"})
)
BOT = Account("Bot", 7, right=True, by_group=True, blocked=False)
SEEN = Seen(Examination(frozenset(Step), None, ABOUT, BOT), before=NOW, after=NOW + timedelta(seconds=2))


def lines(seen: Seen, wiki: WikiConfig = WIKI) -> list[tuple[State, str]]:
    return [(one.state, one.what) for one in judged(wiki, seen)]


def with_about(**change: object) -> Seen:
    assert SEEN.examination
    return replace(SEEN, examination=replace(SEEN.examination, about=replace(ABOUT, **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(seconds=-60), ""),
        (timedelta(seconds=61), ""),
        (timedelta(seconds=63), "the wiki's clock is 61 s ahead of this host's clock"),
        (timedelta(seconds=-61), "the wiki's clock is 61 s behind this host's clock"),
    ],
)
def test_a_clock_answered_between_two_looks_at_ours(ahead: timedelta, words: str) -> None:
    (line,) = lines(with_about(time=NOW + ahead))
    assert line == ((State.WRONG, words) if words else (State.OK, line[1]))


@pytest.mark.parametrize(
    ("software", "state"),
    [("MediaWiki 1.38.9", State.WRONG), ("MediaWiki 1.39.0", State.OK), ("?", State.OK)],
)
def test_a_wiki_that_is_too_old(software: str, state: State) -> None:
    assert [one for one, _ in lines(with_about(software=software))] == [state]


@pytest.mark.parametrize(("days", "state"), [(13, State.WARN), (15, State.OK)])
def test_a_certificate_that_ends_soon(days: int, state: State) -> None:
    ((found, what),) = lines(replace(SEEN, certificate=NOW + timedelta(days=days, hours=1)))
    assert found is state
    assert ("its certificate ends in 13 days (2026-06-14)" in what) == (state is State.WARN)


def test_a_throttled_login_is_not_yet_wrong() -> None:
    outside = Examination(frozenset({Step.ANSWER}), LoginThrottled("login: login-throttled"), ABOUT)
    assert lines(Seen(outside, before=NOW, after=NOW)) == [
        (State.UNKNOWN, "whether it takes the login: login: login-throttled")
    ]


def test_a_grant_is_given_another_way_with_oauth() -> None:
    account = replace(BOT, right=False)
    trouble = WikiMisconfigured("permissiondenied: ...")
    seen = replace(SEEN, examination=Examination(frozenset({Step.ANSWER}), trouble, ABOUT, account))
    for credentials, words in ((WIKI.credentials, "BotPasswords"), (OAuth2("t"), "OAuthConsumer")):
        (line,) = judged(replace(WIKI, credentials=credentials), seen)
        assert words in line.remedy


def test_when_mail_was_signed_last_and_a_wiki_that_does_not_ask() -> None:
    ((state, what),) = lines(replace(SEEN, signed=NOW.date()))
    assert (state, what.endswith("mail last signed on 2026-06-01")) == (State.OK, True)
    (line,) = judged(WIKI, replace(SEEN, silent=True))
    assert (line.state, "$wgBounceSidecarSocket" in line.remedy) == (State.WARN, True)


def test_gate_mode_wants_no_extension_of_ours() -> None:
    form = BounceHandlerFormat("wiki", "bounces.example.org", b"s" * 20, "md5")
    gate = WikiConfig("enwiki", WIKI.api, form, Adapter.BOUNCEHANDLER)
    found = Examination(frozenset({Step.ANSWER, Step.ACT}), None, replace(ABOUT, extensions={}))
    ((state, what),) = lines(Seen(found, before=NOW, after=NOW), gate)
    assert (state, "BounceHandler takes what we say" in what) == (State.OK, True)


NODE = NodeSign("mx1", "issue take act", "0.1.0", NOW - timedelta(days=9), NOW)
SENT_OFTEN = Tolerance(canary_every=timedelta(minutes=15))
VITALS = Vitals(NOW, nodes=(NODE,), signed=NOW, signed_lately=1200)


def test_a_daemon_that_runs_another_version_than_the_installed_one() -> None:
    (line,) = signs_of_life.node_findings(VITALS, "mx1", "0.1.0")
    assert line.state is State.OK
    (line,) = signs_of_life.node_findings(VITALS, "mx1", "0.2.0")
    assert (line.state, line.remedy) == (State.WARN, "systemctl restart bounce-sidecar")
    assert list(signs_of_life.node_findings(VITALS, "mx2", "0.1.0")) == []


def test_whether_mail_was_ever_signed() -> None:
    assert "2026-06-01 12:00 UTC, 1,200 since yesterday" in signs_of_life.mail_findings(VITALS).what
    line = signs_of_life.mail_findings(replace(VITALS, signed=None))
    assert (line.state, "$wgBounceSidecarSocket" in line.remedy) == (State.UNKNOWN, True)


def test_the_canary() -> None:
    def told(*rounds: CanaryRound) -> list[tuple[State, str]]:
        found = signs_of_life.canary_findings(replace(VITALS, canaries=rounds), SENT_OFTEN)
        return [(one.state, one.what) for one in found]

    sent = NOW - timedelta(minutes=20)
    (off,) = signs_of_life.canary_findings(VITALS, Tolerance(canary_every=None))
    assert (off.state, off.what) == (State.OK, "none is sent: [canary] smtp is not set")
    assert told() == [(State.UNKNOWN, "none was sent yet")]
    assert told(CanaryRound(sent, sent + timedelta(seconds=5)))[0][0] is State.OK
    ((state, what),) = told(CanaryRound(sent))
    assert (state, "did not come back" in what) == (State.WRONG, True)


def test_whatever_status_says_with_its_remedy() -> None:
    held = Braked(3, "gmail", "", NOW, "too many", 12)
    vitals = replace(VITALS, noticed=NOW, database="it is gone", free=1, brakes=(held,))
    found = signs_of_life.trouble_findings(vitals, SENT_OFTEN)
    assert [(one.state, one.what) for one in found] == [(State.WARN, "Brake 3 holds 12 actions: too many")]
    assert "brake release" in found[0].remedy


@pytest.mark.parametrize(("kernel", "state"), [(True, State.OK), (False, State.WARN), (None, State.UNKNOWN)])
def test_the_kernels_word_on_the_clock(kernel: bool | None, state: State) -> None:
    assert clock.kernel_finding(kernel).state is state
