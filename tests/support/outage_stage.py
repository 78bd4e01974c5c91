"""Everything that an operator has, real and running: a wiki behind TLS, a mail server, the sidecar on a small
disk, Prometheus, and a clock that the test may let go.

Knows how all of it is set up, broken and mended. Does not know what anybody should be told.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

from tests.support.certificates import Authority
from tests.support.debs import DownloadFailed
from tests.support.four_voices import FourVoices
from tests.support.kernel_says import KernelSays
from tests.support.leaks import secret
from tests.support.mediawiki import MediaWiki
from tests.support.mediawiki_outgoing import by_mail_server
from tests.support.name_server import Name, NameServer
from tests.support.places import free_port, missing
from tests.support.postfix import OWNER, Postfix
from tests.support.prometheus import Prometheus, install
from tests.support.remote_mx import RemoteMx
from tests.support.sidecar import DOMAIN, Sidecar
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.tls_front import TlsFront

__all__ = ["Stage", "stage"]

ALERTS = Path(__file__).parents[2] / "deploy/prometheus/alerts.yml"
TOKEN = secret("a-token-for-the-pages-0123456789")
RESOLVER = "127.0.0.7"  # on port 53, as resolv.conf(5) wants it
DAY = timedelta(days=1)
DISK = 48  # MiB
WEB_SERVER = "www-data"  # an account of every Debian, with a group

MORE = """\
[wikis.policy]
preset = "bouncehandler"
hard_bounces = 1
[alarms]
disk_low_mib = 24
disk_full_mib = 16
[canary]
smtp = "127.0.0.1:{smtp}"
every_minutes = 0.05
patience_minutes = 0.15
[metrics]
listen = "127.0.0.1:{metrics}"
[dashboard]
listen = "127.0.0.1:{pages}"
token_file = "pages.token"
"""


@dataclass
class Stage:
    wiki: MediaWiki
    front: TlsFront
    authority: Authority
    postfix: Postfix
    remote: RemoteMx
    sidecar: Sidecar
    disk: SmallDisk
    kernel: KernelSays
    voices: FourVoices
    users: list[int] = field(default_factory=list)

    def lose_an_address(self) -> int:
        """Somebody's provider has closed the mailbox, and the wiki writes to it; who."""
        name = f"nouser-{token_hex(4)}"  # other tests share the wiki
        user = self.wiki.add_user(name.capitalize(), f"{name}@remote.example", datetime.now(UTC) - 30 * DAY)
        assert self.wiki.send_mail(user, "A page was changed", "Somebody changed a page that you watch.")
        self.users.append(user)
        return user

    def configure_postfix(self, **settings: str) -> None:
        """As it should be, but for *settings*; a running one takes it over."""
        checked = f"check_policy_service unix:{self.sidecar.policy_socket}, permit_mynetworks, reject"
        routes = {
            "remote.example": f"smtp:[127.0.0.1]:{self.remote.port}",
            DOMAIN: f"lmtp:unix:{self.sidecar.lmtp_socket}",
        }
        self.postfix.configure(routes, smtpd_recipient_restrictions=checked, **settings)
        if self.postfix.running:
            self.postfix.reload()

    def fill_the_disk(self) -> None:
        """To the last octet; SQLite has nothing in hand either."""
        self.sidecar.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        self.disk.fill()

    def take_delivery_up(self) -> None:
        """What an operator does who does not want to wait."""
        self.postfix.flush()

    def certify(self, good_for: timedelta) -> None:
        """The wiki shows a certificate that is good for so long from now on."""
        self.front.show(self.authority.certify("localhost", datetime.now(UTC) + good_for))

    def bounces(self, user: int) -> int:
        """That are in the history."""
        [(number,)] = self.sidecar.rows(f"SELECT count(*) FROM bounce WHERE user_id = {user}")
        return int(number)

    def actions(self, user: int) -> list[tuple[Any, ...]]:
        """State and effect of each."""
        return self.sidecar.rows(f"SELECT state, effect FROM action WHERE user_id = {user}")

    def waiting(self) -> list[str]:
        """Users' return paths to which Postfix has something to deliver."""
        found = (one["address"] for mail in self.postfix.queue() for one in mail["recipients"])
        return [one for one in found if one.startswith(f"wiki-{self.wiki.wiki_id}-")]


@contextmanager
def stage(wiki: MediaWiki, postfix: Postfix, remote: RemoteMx, folder: Path) -> Iterator[Stage]:
    """All of it, well, and the first canary back."""
    with ExitStack() as life:
        home, aside = folder / "sidecar", folder / "aside"
        for made in (home, aside):
            made.mkdir(mode=0o755)
        disk = life.enter_context(small_disk(home, DISK))
        kernel, authority = KernelSays(aside), Authority(aside)
        front = TlsFront(int(wiki.url.rpartition(":")[2]))
        life.callback(front.stop)
        metrics, pages = free_port(), free_port()
        postfix.configure({})
        mta_folder = postfix.spool / "bounce-sidecar"
        mta_folder.mkdir()
        sidecar = Sidecar(
            home,
            wiki=wiki.wiki_id,
            api=f"https://localhost:{front.port}/w/api.php",
            account=wiki.account,
            password=wiki.password,
            verp_socket=wiki.socket_path,
            mode="enforce",
            mta_folder=mta_folder,
            mta_group=OWNER,
            more=MORE.format(smtp=postfix.port, metrics=metrics, pages=pages),
            program="tests.support.hasty_process",
            environment={
                **kernel.environment,
                "REQUESTS_CA_BUNDLE": str(authority.file),
                "BOUNCE_SIDECAR_SOCKETS__VERP_GROUP": WEB_SERVER,
            },
        )
        token = home / "pages.token"
        token.touch(0o600)
        token.write_text(TOKEN)
        names = NameServer(RESOLVER, {DOMAIN: Name(mx="wiki.example.org")})
        names.start()
        life.callback(names.stop)
        (aside / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        voices = FourVoices(
            home / "config.toml",
            sidecar.environment | postfix.environment,
            f"http://127.0.0.1:{pages}/",
            TOKEN,
            _prometheus(life, aside, metrics),
            ("--user", "root", "--web-user", WEB_SERVER, "--smtp", f"127.0.0.1:{postfix.port}"),
            aside / "resolv.conf",
        )
        made = Stage(wiki, front, authority, postfix, remote, sidecar, disk, kernel, voices)
        wiki.folder.chmod(0o711)  # the web server's user may ask for return paths
        made.certify(90 * DAY)
        made.configure_postfix()
        postfix.start()
        wiki.set(**by_mail_server(postfix.port))
        life.callback(sidecar.stop)
        sidecar.start()
        yield made


def _prometheus(life: ExitStack, folder: Path, port: int) -> Prometheus:
    """With the shipped rules, which wait for a second where they wait for minutes, and look so often."""
    rules = folder / "alerts.yml"
    rules.write_text(re.sub(r"(?m)^( +for): \w+$", r"\1: 1s", ALERTS.read_text()))
    try:
        prometheus = Prometheus(install(), folder / "prometheus", f"127.0.0.1:{port}", rules)
    except DownloadFailed as trouble:
        missing(f"Prometheus: {trouble}")
    life.callback(prometheus.end)
    return prometheus
