"""A sendmail that sends nothing and keeps everything: what it was called with, and the mail.

Knows files in a folder. Does not know who sends or why.
"""

from dataclasses import dataclass
from pathlib import Path

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


def recorder(outbox: Path) -> str:
    """The text of a sendmail that keeps its mails in *outbox*."""
    return RECORDER.format(outbox=outbox)


def recorded(outbox: Path) -> list[SentMail]:
    """The mails kept in *outbox*, oldest first."""
    return [
        SentMail((mail / "arguments").read_text().split("\0")[:-1], (mail / "mail").read_bytes())
        for mail in sorted(outbox.glob("[0-9]*"))
    ]
