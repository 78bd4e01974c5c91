"""The exercise: five outages, one after the other, on everything that an operator has, real and running.

Each is named by `status`, `doctor`, an alert and the overview, with what to do; is gone from all four once
that was done; and nothing was lost. At last the daemon is killed.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.domain.finding import Finding
from sidecar.domain.remedies import REMEDIES, Kind
from tests.support.leaks import secret
from tests.support.mediawiki import MediaWiki
from tests.support.outage_stage import DAY, Stage, stage
from tests.support.postfix import Postfix
from tests.support.remote_mx import RemoteMx
from tests.support.waiting import until

pytestmark = pytest.mark.servers

NEW_PASSWORD = secret("renewed0" * 4)
LOOK = 0.2  # seconds between two looks at pages and alerts: making them is work
DONE = [("done", "unconfirmed")]


@dataclass(frozen=True)
class Outage:
    """What somebody does to the installation, who is told of it, and how it is mended."""

    kinds: set[Kind]  #: what `status`, the alerts and the overview call it
    doctor: tuple[str, str, str]  #: subject, and patterns of what is wrong and of what to do
    begin: Callable[[Stage], None]
    mend: Callable[[Stage], None]
    booked: bool = True  #: a bounce that comes meanwhile is in the history at once
    acted: bool = False  #: and what follows from it is done at once


def certify(stage: Stage) -> None:
    stage.certify(90 * DAY)
    stage.sidecar.reload()


def renew(stage: Stage) -> None:
    stage.wiki.renew_password(NEW_PASSWORD)
    stage.sidecar.set_password(NEW_PASSWORD)
    stage.sidecar.reload()


OUTAGES = {
    "the mail server delivers nothing": Outage(
        {Kind.CANARY_LOST},
        ("mail server", r"defer_transports names lmtp", r"postqueue -f"),
        lambda stage: stage.configure_postfix(defer_transports="lmtp"),
        lambda stage: stage.configure_postfix(),
        booked=False,
    ),
    "the bot password is revoked": Outage(
        {Kind.WIKI_LOGIN},
        ("wiki testwiki", r"login was refused .*wrongpassword", r"Special:BotPasswords"),
        lambda stage: stage.wiki.revoke(),
        renew,
    ),
    "the disk is full": Outage(
        {Kind.DISK_FULL, Kind.DATABASE},
        ("database", r"^0 MiB free", r"make room"),
        lambda stage: stage.fill_the_disk(),
        lambda stage: stage.disk.make_room(),
        booked=False,
    ),
    "the certificate has expired": Outage(
        {Kind.WIKI_CERTIFICATE},
        ("wiki testwiki", r"certificate has expired", r"renew the wiki's certificate"),
        lambda stage: stage.certify(-DAY),
        certify,
    ),
    "the clock is not kept right": Outage(
        {Kind.CLOCK},
        ("clock", r"nothing sets this host's clock", r"chrony"),
        lambda stage: stage.kernel.synchronised(yes=False),
        lambda stage: stage.kernel.synchronised(yes=True),
        acted=True,
    ),
}


@pytest.fixture
def exercise(
    mediawiki: MediaWiki, postfix: Postfix, remote_mx: RemoteMx, short_folder: Path
) -> Iterator[Stage]:
    password = mediawiki.password
    with stage(mediawiki, postfix, remote_mx, short_folder) as made:
        yield made
    mediawiki.renew_password(password)


@pytest.mark.parametrize("mediawiki_of_the_session", ["1.39"], indirect=True)
def test_each_outage_is_named_in_four_places_and_gone_from_them_and_nothing_is_lost(exercise: Stage) -> None:
    first = exercise.lose_an_address()
    until(lambda: exercise.actions(first) == DONE, "what is owed, done")
    until(lambda: exercise.sidecar.rows("SELECT 1 FROM node WHERE signed IS NOT NULL"), "a sign of life")
    all_is_well(exercise)
    for outage in OUTAGES.values():
        outage.begin(exercise)
        user = exercise.lose_an_address()
        is_named(exercise, outage)
        if outage.booked:
            until(lambda user=user: exercise.bounces(user) == 1, "the bounce in the history")
        else:
            until(exercise.waiting, "the bounce in the mail server's queue")
            assert exercise.bounces(user) == 0
        assert outage.acted or "done" not in {state for state, _ in exercise.actions(user)}
        outage.mend(exercise)
        exercise.take_delivery_up()
        until(lambda user=user: exercise.actions(user) == DONE, "what was owed, done")
        all_is_well(exercise)
    a_killed_daemon_is_missed(exercise)
    all_is_well(exercise)
    nothing_is_lost(exercise)


def told(stage: Stage, look: Callable[[], bool], what: str) -> None:
    """Wait for it; TimeoutError has all that was told instead."""
    try:
        until(look, what, step=LOOK)
    except TimeoutError as late:
        late.add_note(f"{stage.voices.alerts()}\n{stage.voices.status()}\n{stage.sidecar.log()[-4000:]}")
        raise


def is_named(stage: Stage, outage: Outage) -> None:
    """With what to do; and nothing else is."""
    voices = stage.voices
    remedies = {str(kind): " ".join(REMEDIES[kind].replace("`", "").split()) for kind in outage.kinds}
    told(stage, lambda: voices.alerts() == voices.overview() == remedies, str(remedies))
    with ThreadPoolExecutor() as people:
        status, found = people.submit(voices.status), people.submit(voices.doctor)
        assert status.result() == remedies
        assert_doctor_says(found.result(), outage.doctor)


def assert_doctor_says(found: list[Finding], expected: tuple[str, str, str]) -> None:
    subject, what, remedy = expected
    assert [
        one
        for one in found
        if one.subject == subject
        and re.search(what, one.what)
        and re.search(remedy, f"{one.what} {one.remedy}")
    ], found


def all_is_well(stage: Stage) -> None:
    """Say all four."""
    voices = stage.voices
    told(stage, lambda: voices.alerts() == voices.overview() == {}, "neither a trouble nor an alert")
    with ThreadPoolExecutor() as people:
        status, found = people.submit(voices.status), people.submit(voices.doctor)
        assert (status.result(), found.result()) == ({}, [])


def a_killed_daemon_is_missed(stage: Stage) -> None:
    """By all who are not the daemon itself; its bounces wait in the queue until it is back."""
    stage.remote.stop()
    user = stage.lose_an_address()  # signed, and deferred: the other side's server is down
    stage.sidecar.kill()
    stage.remote.start()
    stage.take_delivery_up()
    until(stage.waiting, "the bounce in the mail server's queue")
    told(stage, lambda: "down" in stage.voices.alerts(), "the alert")
    with pytest.raises(OSError, match="refused"):
        stage.voices.overview()
    said = stage.voices.status()
    assert said.keys() == {Kind.NO_DAEMON}
    assert "systemctl status bounce-sidecar" in said[Kind.NO_DAEMON]
    down = ("sockets", r"the daemon is down", r"systemctl start bounce-sidecar")
    assert_doctor_says(stage.voices.doctor(), down)
    stage.sidecar.start()
    stage.take_delivery_up()
    until(lambda: stage.actions(user) == DONE, "what was owed, done")


def nothing_is_lost(stage: Stage) -> None:
    """Every bounce is in the history once, and every one of these users was un-confirmed once."""
    assert stage.waiting() == []
    for user in stage.users:
        assert (stage.bounces(user), stage.actions(user), len(stage.wiki.log(user))) == (1, DONE, 1)
        assert stage.wiki.mailbox(user).confirmed_at is None
    assert stage.sidecar.rows("SELECT count(*) FROM notice") == [(len(stage.users),)]
