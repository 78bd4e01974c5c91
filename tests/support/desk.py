"""An operator at a desk: a configured sidecar in a folder, commands as they are typed, mails as they come."""

import asyncio
from datetime import datetime
from pathlib import Path

from click.testing import CliRunner, Result

from sidecar.cli import main
from sidecar.edges import rule_files
from sidecar.services.intake import BounceIntake
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage.database import Database
from tests.support.practice import ADDRESS, WIKI, load

__all__ = ["NEW_RULE", "STRANGE", "arrive", "say", "take_in"]

#: A bounce whose words and codes no rule knows.
STRANGE = f"""\
From: MAILER-DAEMON@mx.remote.example
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It did not work.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.remote.example

Final-Recipient: rfc822; {ADDRESS}
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; 550 zzyzx frobnicated the gizmo
--b--
""".encode()

NEW_RULE = """
[[rule]]
id = "frobnicated"
category = "user-unknown"
text = '\\bfrobnicated the gizmo\\b'
samples = ["5.0.0 | 550 zzyzx frobnicated the gizmo"]
"""


def say(folder: Path, *words: str, stdin: bytes | None = None) -> Result:
    """One command, as an operator types it."""
    return CliRunner().invoke(main, ["--config", str(folder / "config.toml"), *words], input=stdin)


def arrive(folder: Path, raw: bytes, at: datetime, wiki: str = WIKI, user_id: int = 7) -> Receipt:
    """A mail that comes back at once."""
    return take_in(folder, raw, load(folder).verp.issue(wiki, user_id, ADDRESS, at), at)


def take_in(folder: Path, raw: bytes, path: str, at: datetime) -> Receipt:
    """A mail comes to a return path."""
    config = load(folder)

    async def take() -> Receipt:
        database = Database(config.storage_url)
        await database.open()
        rules = rule_files.built_in()
        intake = BounceIntake(
            database, ReturnPaths(config.verp, lambda: at), rules, config.policies, lambda: at
        )
        try:
            return await intake.take(Received(path, "", raw))
        finally:
            intake.close()
            await database.close()

    return asyncio.run(take())
