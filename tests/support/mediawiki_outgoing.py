"""How a tests' wiki sends: by a mail server of ours, or by a sendmail that keeps all and sends nothing.

Knows the wiki's settings for it, and files in a folder. Does not know who sends or why.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["SentMail", "by_mail_server", "recorded", "recorder"]

#: A mail is prepared under a hidden name and appears when it is complete.
RECORDER = """\
#!/bin/sh
mail=$(mktemp -d {outbox}/.XXXXXXXX) || exit 75
printf '%s\\0' "$@" > "$mail/arguments"
cat > "$mail/mail"
mv "$mail" {outbox}/$(date +%s%N)-$$
"""


@dataclass(frozen=True)
class SentMail:
    """One call of sendmail."""

    arguments: list[str]
    raw: bytes

    @property
    def return_path(self) -> str:
        """The envelope sender: what follows ``-f``."""
        return self.arguments[self.arguments.index("-f") + 1]


def by_mail_server(port: int) -> dict[str, object]:
    """Settings with which a wiki sends by the mail server at this *port* of loopback.

    On a busy machine, a mail that left unsigned in the usual 0.05 s would bounce to nobody.
    """
    server = {"host": "127.0.0.1", "IDHost": "wiki.example.org", "port": port, "auth": False}
    return {"wgSMTP": server, "wgBounceSidecarTimeout": 10}


def recorder(outbox: Path) -> str:
    """The text of a sendmail that keeps its mails in *outbox*."""
    return RECORDER.format(outbox=outbox)


def recorded(outbox: Path) -> list[SentMail]:
    """The mails kept in *outbox*, oldest first."""
    return [
        SentMail((mail / "arguments").read_text().split("\0")[:-1], (mail / "mail").read_bytes())
        for mail in sorted(outbox.glob("[0-9]*"))
    ]
