"""The mails of a story: recorded ones, addressed anew, and reports that are composed from a few words.

Knows RFC 3464's fields. Does not know what is thought of them.
"""

from datetime import datetime
from email.utils import format_datetime

from sidecar.recorded import recorded
from sidecar.scenario.script import Answer

__all__ = ["forged", "written"]

SIGNATURE = 24  # characters at the end of a local part

REPORT = """\
Received: from mail.example.org by mail.example.org; {date}
Date: {date}
From: MAILER-DAEMON@mail.example.org (Mail Delivery System)
To: {return_path}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="story"

--story
Content-Type: text/plain; charset=us-ascii

Your mail to <{recipient}> could not be delivered.

--story
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
{remote}Diagnostic-Code: smtp; {diagnostic}

--story--
"""


def written(answer: Answer, recipient: str, return_path: str, at: datetime) -> bytes:
    """What comes back to *return_path* about a mail to *recipient*."""
    if answer.recorded:
        return recorded(answer.recorded).addressed(recipient, return_path)
    remote = f"Remote-MTA: dns; {answer.remote}\n" if answer.remote else ""
    text = REPORT.format(
        date=format_datetime(at),
        recipient=recipient,
        return_path=return_path,
        action=answer.action,
        status=answer.status,
        diagnostic=answer.diagnostic,
        remote=remote,
    )
    return text.replace("\n", "\r\n").encode()


def forged(return_path: str) -> str:
    """The same, signed by nobody."""
    local, _, domain = return_path.partition("@")
    return f"{local[:-SIGNATURE]}{'a' * SIGNATURE}@{domain}"
