"""Recipients that a mail server is asked for, with what it should say; a client that asks; the recipes.

Knows both formats of return paths, and where docs/operating.md says how a mail server asks the sidecar. Does
not know any mail server.
"""

import re
import smtplib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

from sidecar import host
from sidecar.domain.verp import Verp
from tests.support.sidecar import DOMAIN, Sidecar

__all__ = ["NOW", "WIKI", "Client", "Recipients", "asking", "recipe", "sidecar_for"]

PATIENCE = 30.0  # seconds; whoever does not answer within them hangs
NOW = datetime.now(UTC).replace(microsecond=0)
WIKI = "testwiki"


def sidecar_for(mta_group: str, folder: Path, mta_folder: Path | None = None) -> Sidecar:
    """One that needs no wiki, for a mail server that works in this group; configured, not started."""
    folder.mkdir(mode=0o755)
    sidecar = Sidecar(
        folder,
        wiki=WIKI,
        api="http://127.0.0.1:9/w/api.php",
        account="BounceBot@sidecar",
        password="a" * 32,
        verp_socket=folder / "verp.sock",
        mode="shadow",
        mta_folder=mta_folder,
        mta_group=mta_group,
    )
    sidecar.set_clock(NOW)
    return sidecar


def recipe(mark: str) -> str:
    """The lines of configuration with *mark* in them, as docs/operating.md tells operators."""
    text = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
    blocks = [block for block in re.findall(r"(?:^ {4}.*\n)+", text, flags=re.MULTILINE) if mark in block]
    if len(blocks) != 1:
        raise LookupError(f"{len(blocks)} recipes with {mark}")
    return dedent(blocks[0])


class Recipients:
    """Signed by the keys of *sidecar*."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._verp = host.load_config(sidecar.folder / "config.toml").verp
        self._theirs = Verp(self._verp._formats[1:], [WIKI], accept=timedelta(days=10))

    def good(self, user_id: int = 7) -> str:
        return self._verp.issue(WIKI, user_id, "ann@example.com", NOW)

    def forged(self) -> str:
        return self.good().replace(f"{WIKI}-7-", f"{WIKI}-8-")

    def expired(self) -> str:
        return self._verp.issue(WIKI, 7, "ann@example.com", NOW - timedelta(days=11))

    def unknown_wiki(self) -> str:
        """Signed by us, for a wiki that is not configured."""
        other = Verp(self._verp._formats, ["otherwiki"], accept=timedelta(days=10))
        return other.issue("otherwiki", 7, "ann@example.com", NOW)

    def bouncehandlers(self) -> str:
        """In its format, with all that a mail server might spoil: upper case, "+" and "/"."""
        spelled = (self._theirs.issue(WIKI, user, "", NOW) for user in range(1, 10000))
        return next(path for path in spelled if "+" in path and "/" in path)

    def spellings(self) -> list[str]:
        """Good, each in another spelling."""
        theirs, ours = self.bouncehandlers(), self.good()
        local, _, domain = ours.partition("@")
        folded = [theirs, theirs.lower(), theirs.upper(), ours, ours.upper()]
        return [*folded, f"{local}@{domain.upper()}", f'"{local}"@{domain}']

    def refused(self) -> dict[str, str]:
        """Recipient -> the words."""
        return {
            self.forged(): "5.7.1 Return path is not signed by us",
            self.expired(): "5.7.1 Return path has expired",
            f"nobody@{DOMAIN}": "5.1.1 No such return path",
            f'"a=b recipient=x$y%z"@{DOMAIN}': "5.1.1 No such return path",
            f"wiki-${{run{{x}}}}=%n=@{DOMAIN}": "5.1.1 No such return path",
        }


class Client:
    """One session at a mail server, within one mail from the null sender."""

    def __init__(self, session: smtplib.SMTP) -> None:
        self._session = session

    def says(self, recipient: str) -> str:
        """The reply to RCPT, on one line."""
        self._session.send(f"RCPT TO:<{recipient}>\r\n".encode())
        code, words = self._session.getreply()
        return f"{code} {words.decode()}".replace("\n", " ")

    def codes(self, recipients: Iterable[str]) -> list[int]:
        return [int(self.says(recipient)[:3]) for recipient in recipients]

    def data(self, mail: str) -> int:
        """Hand the mail in for those who were accepted; returns the code."""
        return self._session.data(mail)[0]


@contextmanager
def asking(port: int, sender: str = "") -> Iterator[Client]:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as session:
        session.ehlo()
        session.mail(sender)
        yield Client(session)
