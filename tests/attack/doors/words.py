"""Words of strangers on their way to a person: escapes, new lines and turned text in every field of a mail.

What must be: whatever a command prints, and whatever is measured, is lines of ours; nothing of a stranger's
moves a terminal's cursor, turns a line round or begins one.
"""

import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from tests.attack.journal import overheard
from tests.attack.tally import Tally, rounds
from tests.support.desk import arrive, say
from tests.support.practice import ADDRESS, configured, start_once

__all__ = ["campaign"]

EVIL = (
    *(
        "\x1b[2J\x1b[31mOWNED",
        "\x1b]0;title\x07",
        "\x9b2J",
        "two\nlevel='info' event='forged'",
        "\r\nforged: yes",
    ),
    *(
        "a\u2028forged",
        "a\x85forged",
        "\u202egnorw",
        "\u200b\ufeff",
        "\x00\x08\x08\x08",
        "[bold red]x[/]",
        "[/]",
    ),
    *(
        "=?utf-8?Q?=1B[2J=0D=0Aforged?=",
        "=?utf-8?B?4oCuAAo=?=",
        '"} 1\nbounce_sidecar_up{x="',
        "%1b%0a",
        "\\x1b",
    ),
)
#: All that may be in a line, beside what is printed.
_ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_FORGED = re.compile(r"^(?:forged|level='info')", re.MULTILINE)

NOTICE = """\
From: {0} <MAILER-DAEMON@{1}.example>
Subject: {2}
Message-ID: <{3}@x>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

{4}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; {5}

Final-Recipient: rfc822; {address}
Action: failed
Status: {status}
Remote-MTA: dns; {6}
Diagnostic-Code: smtp; 550 {status} {words} {7}
--b--
"""
REPORTED = (
    ("5.1.1", "User unknown"),
    ("5.0.0", "zzyzx"),
    ("5.2.2", "Mailbox full"),
    ("5.1.2", "Host nowhere"),
)
COMMANDS = (
    *(
        ("history", "7"),
        ("why", "7"),
        ("outbox", "--all"),
        ("status",),
        ("stats",),
        ("summary",),
        ("aside", "list"),
    ),
    *(
        ("brake", "list"),
        ("shadow", "report"),
        ("db", "status"),
        ("export", "7"),
        ("verp", "decode", "x\x1b[2J@y"),
    ),
)


def _mail(chance: Random) -> bytes:
    evil = [chance.choice(EVIL) for _ in range(8)]
    status, words = chance.choice(REPORTED)
    return NOTICE.format(*evil, address=ADDRESS, status=status, words=words).encode("utf-8", "surrogatepass")


def _look(tally: Tally, command: tuple[str, ...], text: str, mail: bytes) -> None:
    tally.count(command[0])
    if found := _ACTIVE.search(text):
        at = found.start()
        tally.wrong(f"{' '.join(command)} prints {text[max(0, at - 40) : at + 20]!r}", mail)
    # `aside show` prints the mail itself, whose lines are a stranger's by right.
    if command[:2] != ("aside", "show") and _FORGED.search(text):
        tally.wrong(f"{' '.join(command)} prints a line of a stranger's", mail)


def _one(folder: Path, chance: Random, tally: Tally) -> None:
    mail = _mail(chance)
    now = datetime.now(UTC).replace(microsecond=0)
    arrive(folder, mail, now - timedelta(days=chance.randrange(9), seconds=chance.randrange(9999)))
    (folder / "mail\x1b[31m\n.eml").write_bytes(mail)
    waiting = re.findall(r"^ *(\d+) ", say(folder, "aside", "list").stdout, re.MULTILINE)
    shown = [("aside", "show", number) for number in waiting[:2]]
    mails = [("classify", str(folder / "mail\x1b[31m\n.eml")), ("replay", str(folder))]
    for command in (*COMMANDS, *shown, *mails):
        result = say(folder, *command)
        _look(tally, command, result.output, mail)
        if result.exception and not isinstance(result.exception, SystemExit):
            tally.wrong(f"{' '.join(command)} raised {result.exception!r}", mail)


def campaign(seed: int, seconds: float) -> Tally:
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="words-") as name, overheard():
        folder = Path(name)
        configured(folder)
        start_once(folder)
        for chance in rounds(seed, seconds):
            _one(folder, chance, tally)
    return tally
