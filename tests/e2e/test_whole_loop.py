"""The whole loop on real parts: MediaWiki sends through the hook and Postfix to a server that refuses,
Postfix bounces to the sidecar by LMTP, and the sidecar un-confirms the address on the wiki.

The sidecar's clock is set by the test; everything else goes by the real one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

import pytest

from tests.contract.bench import Mood
from tests.support.leaks import secret
from tests.support.mediawiki import MediaWiki
from tests.support.mediawiki_outgoing import by_mail_server
from tests.support.postfix import Postfix
from tests.support.remote_mx import RemoteMx
from tests.support.sidecar import DIE_AFTER, DIE_BEFORE, DOMAIN, Sidecar
from tests.support.waiting import until

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
START = datetime.now(UTC).replace(microsecond=0) - 20 * DAY
NEW_PASSWORD = secret("renewed0" * 4)


@dataclass
class Loop:
    """Everything that takes part, running."""

    wiki: MediaWiki
    postfix: Postfix
    remote: RemoteMx
    sidecar: Sidecar
    notices: int = 0

    def user(self, answer: str, confirmed: datetime = START - 30 * DAY) -> int:
        """A user whose provider gives this answer of the scripted server."""
        name = f"{answer}-{token_hex(4)}"  # other tests share the wiki
        return self.wiki.add_user(name.capitalize(), f"{name}@remote.example", confirmed)

    def mail(self, *users: int, day: float) -> None:
        """The wiki writes to these users on that day, and each mail comes back."""
        self.sidecar.set_clock(START + day * DAY)
        for user in users:
            assert self.wiki.send_mail(user, "A page was changed", "Somebody changed a page that you watch.")
        self.notices += len(users)
        self.sidecar.booked(self.notices)

    def unconfirmed(self, user: int) -> None:
        """Wait until the wiki has un-confirmed this user and the sidecar knows it; the address stays."""
        address = self.wiki.mailbox(user).address
        until(lambda: self.wiki.mailbox(user).confirmed_at is None, "un-confirmation")
        until(lambda: self.action(user)[0] == "done", "settled action")
        assert self.wiki.mailbox(user).address == address != ""

    def action(self, user: int) -> tuple[str, str, str]:
        """State, effect and error of the only action that there is for a user."""
        [found] = self.sidecar.rows(f"SELECT state, effect, error FROM action WHERE user_id = {user}")
        return found

    def postponed(self, user: int, because: str) -> None:
        until(
            lambda: (a := self.action(user))[0] == "waiting" and because in a[2],
            f"an action that waits because of {because!r}",
        )


@pytest.fixture
def loop(mediawiki: MediaWiki, postfix: Postfix, remote_mx: RemoteMx, short_folder: Path) -> Iterator[Loop]:
    folder = short_folder / "sidecar"
    folder.mkdir(mode=0o755)
    sidecar = Sidecar(
        folder,
        wiki=mediawiki.wiki_id,
        api=mediawiki.api_url,
        account=mediawiki.account,
        password=mediawiki.password,
        verp_socket=mediawiki.socket_path,
        mode="enforce",
    )
    routes = {
        "remote.example": f"smtp:[127.0.0.1]:{remote_mx.port}",
        DOMAIN: f"lmtp:unix:{sidecar.lmtp_socket}",
    }
    postfix.configure(routes)
    postfix.start()
    mediawiki.set(**by_mail_server(postfix.port))
    sidecar.set_clock(START)
    sidecar.start()
    yield Loop(mediawiki, postfix, remote_mx, sidecar)
    sidecar.stop()


def test_a_dead_address_is_unconfirmed_and_a_full_mailbox_is_not(loop: Loop) -> None:
    dead, full = loop.user("nouser"), loop.user("quota")
    for day in (0, 4):
        loop.mail(dead, full, day=day)
    assert loop.sidecar.rows("SELECT * FROM action") == []
    loop.mail(dead, full, day=8)
    loop.unconfirmed(dead)
    assert loop.action(dead) == ("done", "unconfirmed", "")
    [entry] = loop.wiki.log(dead)
    assert entry.startswith("3 hard bounces of mail sent")
    assert entry.endswith("(user-unknown)")
    assert loop.wiki.mailbox(full).confirmed_at == START - 30 * DAY
    assert loop.wiki.log(full) == []
    verdicts = loop.sidecar.rows(
        "SELECT DISTINCT user_id, category, hard, status FROM bounce ORDER BY user_id"
    )
    assert verdicts == [(dead, "user-unknown", 1, "5.1.1"), (full, "mailbox-full", 0, "5.2.2")]


def test_the_bounces_that_led_to_an_action_are_kept(loop: Loop) -> None:
    dead = loop.user("nouser")
    for day in (0, 4, 8):
        loop.mail(dead, day=day)
    loop.unconfirmed(dead)
    because = loop.sidecar.rows(
        "SELECT bounce.sent FROM action_bounce JOIN bounce ON bounce.id = bounce_id ORDER BY sent"
    )
    assert [datetime.fromisoformat(sent).replace(tzinfo=UTC) for (sent,) in because] == [
        START,
        START + 4 * DAY,
        START + 8 * DAY,
    ]


@pytest.mark.parametrize(("mood", "words"), [(Mood.HTTP_503, "503"), (Mood.READ_ONLY, "readonly")])
def test_a_wiki_in_trouble_gets_its_action_later_and_once(loop: Loop, mood: Mood, words: str) -> None:
    dead = loop.user("nouser")
    for day in (0, 4):
        loop.mail(dead, day=day)
    with loop.wiki.mood(mood):
        # The mail leaves from a maintenance script: a wiki that is read-only still sends some.
        loop.mail(dead, day=8)
        loop.postponed(dead, words)
        loop.sidecar.set_clock(START + 9 * DAY)
        tried_twice = "SELECT 1 FROM action WHERE attempts >= 2 AND leased_until IS NULL"
        until(lambda: loop.sidecar.rows(tried_twice), "another try that failed")
        assert loop.wiki.mailbox(dead).confirmed_at is not None
    loop.sidecar.set_clock(START + 10 * DAY)
    loop.unconfirmed(dead)
    assert loop.action(dead) == ("done", "unconfirmed", "")
    assert len(loop.wiki.log(dead)) == 1


@pytest.mark.parametrize(("death", "effect"), [(DIE_BEFORE, "unconfirmed"), (DIE_AFTER, "already")])
def test_killed_before_or_after_the_call_it_acts_once(loop: Loop, death: str, effect: str) -> None:
    dead = loop.user("nouser")
    for day in (0, 4):
        loop.mail(dead, day=day)
    loop.sidecar.order(death)
    loop.mail(dead, day=8)
    loop.sidecar.wait_for_death()
    assert loop.action(dead)[0] == "waiting"
    assert (loop.wiki.mailbox(dead).confirmed_at is None) == (death == DIE_AFTER)
    loop.sidecar.set_clock(START + 8 * DAY + timedelta(hours=1))  # the dead process's lease has ended
    loop.sidecar.start()
    loop.unconfirmed(dead)
    assert loop.action(dead) == ("done", effect, "")
    assert len(loop.wiki.log(dead)) == 1


def test_bounces_that_come_while_it_is_dead_wait_in_the_mail_servers_queue(loop: Loop) -> None:
    users = [loop.user("nouser") for _ in range(3)]
    loop.sidecar.set_clock(START)
    loop.remote.stop()
    for user in users:  # signed, and deferred: the other side's server is down
        assert loop.wiki.send_mail(user, "A page was changed", "Somebody changed a page that you watch.")
    loop.sidecar.kill()
    loop.remote.start()
    loop.postfix.flush()
    until(lambda: len(bounces_waiting(loop)) == len(users), "bounces in the mail server's queue")
    loop.sidecar.start()
    loop.postfix.flush()
    loop.sidecar.booked(len(users))
    until(lambda: bounces_waiting(loop) == [], "empty queue")
    assert loop.sidecar.rows("SELECT DISTINCT hard FROM bounce") == [(1,)]


def test_a_bounce_that_it_took_in_hand_and_did_not_answer_is_booked_once(loop: Loop) -> None:
    user = loop.user("nouser")
    loop.sidecar.set_clock(START)
    loop.remote.stop()
    assert loop.wiki.send_mail(user, "A page was changed", "Somebody changed a page that you watch.")
    loop.sidecar.hang()
    loop.remote.start()
    loop.postfix.flush()
    until(lambda: len(bounces_waiting(loop)) == 1, "a bounce that is being delivered")
    loop.sidecar.kill()
    loop.sidecar.start()
    loop.postfix.flush()
    loop.sidecar.booked(1)
    until(lambda: bounces_waiting(loop) == [], "empty queue")
    assert loop.sidecar.rows("SELECT count(*) FROM notice") == [(1,)]


def bounces_waiting(loop: Loop) -> list[str]:
    """Return paths of ours to which Postfix has something to deliver."""
    return [
        recipient["address"]
        for mail in loop.postfix.queue()
        for recipient in mail["recipients"]
        if recipient["address"].endswith(f"@{DOMAIN}")
    ]


def test_a_bot_password_that_is_revoked_and_renewed_loses_nothing(loop: Loop) -> None:
    dead = loop.user("nouser")
    for day in (0, 4):
        loop.mail(dead, day=day)
    old = loop.wiki.password
    loop.wiki.revoke()
    loop.mail(dead, day=8)
    loop.postponed(dead, "wrongpassword")
    loop.sidecar.stop()
    loop.wiki.renew_password(NEW_PASSWORD)
    loop.sidecar.set_password(NEW_PASSWORD)
    loop.sidecar.set_clock(START + 9 * DAY)
    loop.sidecar.start()
    try:
        loop.unconfirmed(dead)
        assert len(loop.wiki.log(dead)) == 1
        assert old not in loop.sidecar.log()
        assert NEW_PASSWORD not in loop.sidecar.log()
    finally:
        loop.wiki.renew_password(old)


@pytest.mark.parametrize("how", ["confirmed again", "changed and confirmed"])
def test_a_user_who_confirmed_after_the_mails_were_sent_is_not_touched(loop: Loop, how: str) -> None:
    user = loop.user("nouser")
    for day in (0, 4):
        loop.mail(user, day=day)
    if how == "changed and confirmed":
        loop.wiki.change_address(user, f"nouser-new{user}@remote.example")
    loop.wiki.confirm(user, START + 5 * DAY)
    loop.mail(user, day=8)
    if how == "changed and confirmed":  # the address tag tells: nothing is asked of the wiki
        assert loop.sidecar.rows("SELECT * FROM action") == []
    else:
        until(lambda: loop.action(user)[0] == "done", "settled action")
        assert loop.action(user) == ("done", "changed", "")
    assert loop.wiki.mailbox(user).confirmed_at == START + 5 * DAY
    assert loop.wiki.log(user) == []
    # The failure after the confirmation counts on: two more, and a week, and the address has failed again.
    loop.mail(user, day=10)
    loop.mail(user, day=15)
    until(lambda: loop.wiki.mailbox(user).confirmed_at is None, "un-confirmation")


@pytest.mark.parametrize("state", ["stopped", "hung"])
def test_the_wikis_mail_leaves_with_its_usual_return_path_without_the_sidecar(loop: Loop, state: str) -> None:
    user = loop.user("welcome")
    loop.wiki.set(wgBounceSidecarTimeout=0.05)  # as it comes
    loop.sidecar.stop() if state == "stopped" else loop.sidecar.hang()
    assert loop.wiki.send_mail(user, "A page was changed", "Somebody changed a page that you watch.")
    address = loop.wiki.mailbox(user).address
    assert DOMAIN not in loop.remote.wait(address).sender


def test_the_hook_signs_a_mail_to_one_registered_user(loop: Loop) -> None:
    user = loop.user("welcome")
    assert loop.wiki.send_mail(user, "A page was changed", "Somebody changed a page that you watch.")
    sender = loop.remote.wait(loop.wiki.mailbox(user).address).sender
    assert sender.startswith(f"wiki-{loop.wiki.wiki_id}-")
    assert sender.endswith(f"@{DOMAIN}")
