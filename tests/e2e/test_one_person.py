"""One person on two real MediaWikis with central accounts, on one code tree: one streak, one act, at home.

The mail goes by Postfix to a server that refuses, and its bounces come to one sidecar by LMTP. With
BOUNCE_SIDECAR_CENTRALAUTH the wikis run the real CentralAuth (docs/testing.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.contract.farm import HOME, OTHER
from tests.support.mediawiki_farm import RealFarm
from tests.support.mediawiki_outgoing import by_mail_server
from tests.support.postfix import Postfix
from tests.support.remote_mx import RemoteMx
from tests.support.sidecar import DIE_AFTER, DIE_BEFORE, DOMAIN, Sidecar
from tests.support.waiting import until

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
START = datetime.now(UTC).replace(microsecond=0) - 20 * DAY
CONFIRMED = START - 30 * DAY
_numbers = count(1)

OTHER_WIKI = """\
central = true
[[wikis]]
id = "{wiki}"
api = "{api}"
account = "{account}"
password_file = "bot.password"
central = true
"""


@dataclass
class Loop:
    farm: RealFarm
    sidecar: Sidecar
    notices: int = 0

    def users(self, *, joined: bool) -> dict[str, int]:
        """Users of one name on both wikis, with the address of a dead mailbox."""
        name = f"Nouser-{next(_numbers)}"
        address = f"{name.lower()}@remote.example"
        found = {wiki: self.farm.wikis[wiki].add_user(name, address, CONFIRMED) for wiki in (HOME, OTHER)}
        if joined:
            self.farm.join(name, {wiki: (user, CONFIRMED) for wiki, user in found.items()}, home=HOME)
        return found

    def mail(self, *letters: tuple[str, int], day: float) -> None:
        """These wikis write to these users on that day, and each mail comes back."""
        self.sidecar.set_clock(START + day * DAY)
        for wiki, user in letters:
            assert self.farm.wikis[wiki].send_mail(user, "A page was changed", "Somebody changed a page.")
        self.notices += len(letters)
        self.sidecar.booked(self.notices)

    def actions(self) -> list[tuple[str, int, str, str]]:
        return self.sidecar.rows("SELECT wiki, user_id, state, effect FROM action ORDER BY id")


@pytest.fixture
def loop(
    mediawiki_farm: RealFarm, postfix: Postfix, remote_mx: RemoteMx, short_folder: Path
) -> Iterator[Loop]:
    folder = short_folder / "sidecar"
    folder.mkdir(mode=0o755)
    home, other = mediawiki_farm.wikis[HOME], mediawiki_farm.wikis[OTHER]
    sidecar = Sidecar(
        folder,
        wiki=HOME,
        api=home.api_url,
        account=home.account,
        password=home.password,
        verp_socket=home.socket_path,
        mode="enforce",
        more=OTHER_WIKI.format(wiki=OTHER, api=other.api_url, account=other.account),
    )
    routes = {
        "remote.example": f"smtp:[127.0.0.1]:{remote_mx.port}",
        DOMAIN: f"lmtp:unix:{sidecar.lmtp_socket}",
    }
    postfix.configure(routes)
    postfix.start()
    for wiki in (home, other):
        wiki.set(wgBounceSidecarSocket=str(home.socket_path), **by_mail_server(postfix.port))
    sidecar.set_clock(START)
    sidecar.start()
    yield Loop(mediawiki_farm, sidecar)
    sidecar.stop()


@pytest.mark.parametrize("death", [None, DIE_BEFORE, DIE_AFTER])
def test_a_person_who_fails_at_two_wikis_is_unconfirmed_once_at_home(loop: Loop, death: str | None) -> None:
    ann = loop.users(joined=True)
    loop.mail((OTHER, ann[OTHER]), day=0)
    loop.mail((HOME, ann[HOME]), day=4)
    assert loop.actions() == []
    if death:
        loop.sidecar.order(death)
    loop.mail((OTHER, ann[OTHER]), day=8)
    if death:
        loop.sidecar.wait_for_death()
        loop.sidecar.set_clock(START + 8.1 * DAY)
        loop.sidecar.start()
    effect = "already" if death == DIE_AFTER else "unconfirmed"
    until(lambda: loop.actions() == [(HOME, ann[HOME], "done", effect)], "one act at home")
    for wiki, user in ann.items():
        left = loop.farm.mailbox(wiki, user)
        assert (left.confirmed_at, left.address[:6]) == (None, "nouser")
    assert [len(loop.farm.wikis[wiki].log(ann[wiki])) for wiki in (HOME, OTHER)] == [1, 0]
    told = [loop.farm.wikis[wiki].told(ann[wiki]) for wiki in (HOME, OTHER)]
    assert told == [["unconfirm"], []]


def test_users_of_one_name_whom_nobody_has_joined_are_two(loop: Loop) -> None:
    ann = loop.users(joined=False)
    loop.mail((OTHER, ann[OTHER]), day=0)
    loop.mail((HOME, ann[HOME]), day=4)
    loop.mail((OTHER, ann[OTHER]), (HOME, ann[HOME]), day=8)
    loop.mail((OTHER, ann[OTHER]), day=9)
    until(lambda: loop.actions() == [(OTHER, ann[OTHER], "done", "unconfirmed")], "one act where it failed")
    assert loop.farm.mailbox(HOME, ann[HOME]).confirmed_at == CONFIRMED
