"""The mails that go out, one a case, and the return paths to which they come back.

Knows the wiki's wording and a person's. Does not know how a mail server takes them.
"""

import base64
import hashlib
import smtplib
from dataclasses import dataclass
from email.utils import format_datetime, localtime, make_msgid

from tests.capture.world import BOUNCES
from tests.support.bounce_cases import Case

__all__ = ["HOST", "Outgoing", "by_smtp", "outgoing", "return_path"]

HOST = "wiki.example.org"

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


@dataclass(frozen=True)
class Outgoing:
    """A mail with its envelope."""

    sender: str
    recipient: str
    text: str  #: lines end in LF
    notify: str  #: RFC 3461 NOTIFY parameter, "" for none


def return_path(case: Case) -> str:
    """Of the product's shape, signed by nobody; the same for the cases that share a mail."""
    key = base64.b32encode(hashlib.sha256(case.recipient.encode()).digest()).decode().lower()[:24]
    return f"wiki-testwiki-9ix-tosry7-{key}@{BOUNCES}"


def outgoing(case: Case) -> Outgoing:
    """The mail that is sent for *case*."""
    sender, recipient, template = return_path(case), case.recipient, WIKI_MAIL
    if case.kind == "ordinary":
        sender, recipient, template = recipient, sender, PERSONS_MAIL
    text = template.format(
        date=format_datetime(localtime()),
        message_id=make_msgid(domain=HOST),
        recipient=case.recipient,
        return_path=return_path(case),
    )
    return Outgoing(sender, recipient, text, case.notify)


def by_smtp(mail: Outgoing, port: int) -> None:
    """Submit to the server on this host. Raises smtplib.SMTPException."""
    notify = [f"NOTIFY={mail.notify}"] if mail.notify else []
    content = mail.text.replace("\n", "\r\n").encode()
    with smtplib.SMTP("127.0.0.1", port, local_hostname=HOST) as server:
        server.sendmail(mail.sender, [mail.recipient], content, ["BODY=8BITMIME"], notify)
