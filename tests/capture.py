"""Makes fixtures/bounces afresh: `python -m tests.capture`, as root, in under a minute.

Knows how to let a real Postfix and a real Exim fail at each case and how to write down what they say. Does
not judge: what is right to think of each mail stands in tests/support/bounce_cases.py. Works in a network of
its own, with its own name server; nothing leaves this host.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.utils import format_datetime, localtime, make_msgid
from pathlib import Path
from typing import Protocol

from tests.support import exim, postfix
from tests.support.bounce_cases import CASES, MX_ADDRESSES, NAMES, Case
from tests.support.lmtp_sink import LmtpSink
from tests.support.mailbox import Mail
from tests.support.name_server import NameServer
from tests.support.remote_mx import RemoteMx

BOUNCES = "bounces.example.org"
OUTPUT = Path(__file__).parent.parent / "fixtures" / "bounces"
INSIDE = "--inside"  # says that the network is already our own
PATIENCE = 60.0  # seconds until a mail must have come back; the servers give up after LIFETIME
LIFETIME = 6  # seconds in the queue, instead of days
WARNING = 1  # seconds until the sender is told of a delay, instead of hours

KINDS = {b"failed": "bounce", b"delayed": "delayed", b"relayed": "success", b"delivered": "success"}

RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

WIKI_MAIL = """\
Date: {date}
From: Test Wiki <noreply@wiki.example.org>
To: =?UTF-8?Q?J=C3=BCrgen?= <{recipient}>
Subject: =?UTF-8?Q?The_page_=C3=9Cbersicht_has_been_changed?=
Message-ID: {message_id}
X-Mailer: MediaWiki mailer
List-Help: <https://wiki.example.org/wiki/Special:Preferences>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

Dear Jürgen,

the page "Übersicht" on Test Wiki has been changed by Anna. See
https://wiki.example.org/wiki/%C3%9Cbersicht for the current version.

Your friendly notification system
"""

PERSONS_MAIL = """\
Date: {date}
From: Anna Example <{recipient}>
To: {return_path}
Subject: =?UTF-8?Q?Re:_The_page_=C3=9Cbersicht_has_been_changed?=
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

Thank you, but who is user Jürgen? I had a mail like this before; my other
mailbox was full last week and everything to it was returned.

Greetings, Anna
"""

AWAY = r"""
away:
  driver = redirect
  domains = people.example
  allow_filter
  user = mail
  reply_transport = autoreply
  data = #Exim filter\n\
    mail to \$sender_address from \$local_part@\$domain\n\
    subject "Out of office: \$h_subject:"\n\
    text "I am away until Monday and read your mail then."
"""


class Server(Protocol):
    """What both mail servers offer."""

    port: int

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def version(self) -> str: ...


def main() -> None:
    installed = {"postfix": postfix.install(), "exim": exim.install()}
    if INSIDE not in sys.argv:
        os.execvp("unshare", ["unshare", "-mn", "--", sys.executable, "-m", "tests.capture", INSIDE])
    folder = Path(tempfile.mkdtemp(prefix="mta-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        with _small_world(folder):
            _capture("postfix", *_postfix(installed["postfix"], folder))
            _capture("exim", *_exim(installed["exim"], folder))
    finally:
        shutil.rmtree(folder)


@contextmanager
def _small_world(folder: Path) -> Iterator[None]:
    """Loopback, a name server, and the remote servers; ends with the process at the latest."""
    (folder / "resolv.conf").write_text(RESOLVER)
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", "192.0.2.0/24", "dev", "lo"],
        ["mount", "--bind", str(folder / "resolv.conf"), "/etc/resolv.conf"],
    ):
        subprocess.run(command, check=True)
    with ExitStack() as stack:
        for server in (NameServer("127.0.0.1", NAMES), *(RemoteMx(a, 25) for a in MX_ADDRESSES.values())):
            server.start()
            stack.callback(server.stop)
        yield


def _postfix(prefix: Path, folder: Path) -> tuple[Server, LmtpSink]:
    server, sink = postfix.Postfix(prefix, folder / "postfix"), LmtpSink(folder / "postfix.sock")
    server.configure(
        {BOUNCES: f"lmtp:unix:{sink.socket}"},
        default_transport="smtp",
        maximal_queue_lifetime=f"{LIFETIME}s",
        delay_warning_time=f"{WARNING}s",
        smtp_connect_timeout="2s",
        smtp_rcpt_timeout="2s",
    )
    return server, sink


def _exim(program: Path, folder: Path) -> tuple[Server, LmtpSink]:
    server, sink = exim.Exim(program, folder / "exim"), LmtpSink(folder / "exim.sock")
    server.configure(
        BOUNCES,
        sink.socket,
        main=f"delay_warning = {WARNING}s\ndsn_advertise_hosts = *\ndns_retrans = 1s\ndns_retry = 1",
        routers=AWAY,
        transports="autoreply:\n  driver = autoreply\n",
        retry=f"*  *  F,{LIFETIME}s,1s",
    )
    return server, sink


def _capture(name: str, server: Server, sink: LmtpSink) -> None:
    """Send every case of one server and write what comes back."""
    cases = [case for case in CASES if name in case.servers]
    sink.start()
    server.start()
    try:
        for case in {case.recipient: case for case in cases}.values():
            _send(case, server.port)
        found = {
            case: sink.mailbox.wait_for(lambda mail, case=case: _is_of(mail, case), case.name, PATIENCE)
            for case in cases
        }
        shutil.rmtree(OUTPUT / name, ignore_errors=True)
        (OUTPUT / name).mkdir(parents=True)
        for number, (case, mail) in enumerate(found.items(), 1):
            _write(OUTPUT / name / f"{number:02}-{case.name}", name, server.version(), case, mail)
    finally:
        server.stop()
        sink.stop()


def _return_path(case: Case) -> str:
    """Of the product's shape, signed by nobody; the same for the cases that share a mail."""
    key = base64.b32encode(hashlib.sha256(case.recipient.encode()).digest()).decode().lower()[:24]
    return f"wiki-testwiki-9ix-tosry7-{key}@{BOUNCES}"


def _send(case: Case, port: int) -> None:
    sender, recipient, text = _return_path(case), case.recipient, WIKI_MAIL
    if case.kind == "ordinary":
        sender, recipient, text = recipient, sender, PERSONS_MAIL
    mail = text.format(
        date=format_datetime(localtime()),
        message_id=make_msgid(domain="wiki.example.org"),
        recipient=case.recipient,
        return_path=_return_path(case),
    )
    mail = mail.replace("\n", "\r\n")
    notify = [f"NOTIFY={case.notify}"] if case.notify else []
    with smtplib.SMTP("127.0.0.1", port, local_hostname="wiki.example.org") as server:
        server.sendmail(sender, [recipient], mail.encode(), ["BODY=8BITMIME"], notify)


def _is_of(mail: Mail, case: Case) -> bool:
    return mail.recipients == (_return_path(case),) and _kind(mail.raw) == case.kind


def _kind(raw: bytes) -> str:
    if action := re.search(rb"^Action: (\w+)", raw, re.MULTILINE):
        return KINDS[action[1]]
    return "auto-reply" if b"\nAuto-Submitted: auto-replied" in raw else "ordinary"


def _write(path: Path, server: str, version: str, case: Case, mail: Mail) -> None:
    """Two files: the mail as it arrived, and what is known of it."""
    _fit_to_keep(case, mail.raw)
    path.with_suffix(".eml").write_bytes(mail.raw)
    facts = {
        "mta": server,
        "version": version,
        "case": case.name,
        "made": case.made,
        "answer": case.remote_answer(),
        "sender": mail.sender,
        "recipient": case.recipient,
        "return_path": _return_path(case),
        "kind": case.kind,
        "category": case.category_at(server),
        "hard": case.hard,
    }
    # A TOML basic string is written as a JSON string.
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in facts.items() if value != ""
    ]
    path.with_suffix(".toml").write_text("".join(lines))


def _fit_to_keep(case: Case, raw: bytes) -> None:
    """Raises ValueError if an address is folded, so that it could not be replaced, or this machine shows."""
    unfolded = re.sub(rb"\r\n[ \t]*", b"", raw)
    for address in (case.recipient, _return_path(case)):
        if not 0 < raw.count(address.encode()) == unfolded.count(address.encode()):
            raise ValueError(f"{case.name}: {address} is folded or not there")
    for trace in (socket.gethostname().encode(), b"/var/"):
        if trace in raw:
            raise ValueError(f"{case.name}: {trace!r} shows")


if __name__ == "__main__":
    main()
