"""Gate mode: a wiki that keeps the PHP extension BounceHandler, and installs nothing of ours.

The sidecar counts and decides; only what it has decided reaches BounceHandler, as one bounce, and there
``$wgBounceRecordLimit = 1`` makes that bounce the deciding one. BounceHandler believes whoever signs a return
path as it does, from a host in ``$wgBounceHandlerInternalIPs``; there is no login.

What the gate cannot do, and the companion extension can: compare the address (BounceHandler takes whatever
the user has now), leave groups alone, warn, tell or stay silent, undo, and say what became of it: it answers
that a job was submitted, and the job acts when the wiki runs its jobs. A repeated call is another bounce to
it: it takes the confirmation again, also one that the user gave in between, and tells again.
"""

from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from sidecar.domain.examination import Examination, Step
from sidecar.domain.person import LOCAL, Person
from sidecar.domain.wiki import Action, Effect, Outcome, Unconfirm, WikiMisconfigured, WikiRefused

from . import Signer, WikiAccess, examining
from .caller import MAX_LAG, Caller, Sleep
from .codes import GATE_CODES
from .emailbounce import not_understood
from .mwclient_wiki import MwclientTransport

__all__ = ["BounceHandlerWiki", "report"]

MODULE = "bouncehandler"
BOUNDARY = "the-sidecar-has-decided"
NOBODY = "nobody@bounces.invalid"  # no return path of anybody's: BounceHandler says so, and does nothing
LONGEST_SUBJECT = 160  # octets; BounceHandler keeps it as br_reason, which has 255
_UNSIGNED = (
    "BounceHandler does not believe the return path: compare [verp.bouncehandler] with $wgVERPsecret, "
    "$wgVERPalgorithm and $wgVERPprefix, id with the wiki's id, and the two clocks"
)


class BounceHandlerWiki:
    """A wiki with BounceHandler."""

    def __init__(self, access: WikiAccess, *, sleep: Sleep | None = None) -> None:
        if not isinstance(access.credentials, Signer):
            raise TypeError("BounceHandler believes signatures alone")
        self._signer = access.credentials
        self._caller = Caller(MwclientTransport(access), GATE_CODES, sleep)

    def perform(self, action: Action) -> Outcome:
        """Submit an un-confirmation. Blocks for seconds at most; for one thread at a time.

        Repeating it does the same again. Raises WikiUnavailable, WikiMisconfigured or WikiRefused, and
        nothing else; WikiRefused for any other action.
        """
        if not isinstance(action, Unconfirm):
            raise WikiRefused(
                f"BounceHandler cannot {type(action).__name__.lower()}: it can un-confirm, and no more"
            )
        return self._caller.patiently(lambda: self._submit(action))

    def identify(self, user_id: int) -> Person:
        """BounceHandler knows accounts of this wiki alone."""
        return LOCAL

    def examine(self, *, login: bool = True) -> Examination:
        """Go as far as one gets, and change nothing. Blocks for seconds at most, and raises nothing.

        There is no login. Whether our signature is believed cannot be asked: the answer would be a job.
        """
        steps = [(Step.ANSWER, self._look), (Step.ACT, self._submit_idly)]
        return examining.examined(self._caller.patiently, steps)

    def close(self) -> None:
        """Let the connection go; nothing is asked of it afterwards."""
        self._caller.close()

    def _look(self, found: Examination) -> Examination:
        return replace(found, about=examining.about(self._caller.ask("query", examining.ABOUT)))

    def _submit_idly(self, found: Examination) -> Examination:
        answer = self._caller.ask(MODULE, {"email": report(NOBODY, "a question", self._signer.clock())})
        if answer.get("submitted") != "failure":
            raise not_understood("what nobody signed is believed")
        return found

    def _submit(self, action: Unconfirm) -> Outcome:
        mail = report(self._signer.return_path(action.user_id), action.reason, self._signer.clock())
        answer = self._caller.ask(MODULE, {"email": mail, "maxlag": MAX_LAG})
        match answer.get("submitted"):
            case "job":
                return Outcome(Effect.SUBMITTED)
            case "failure":
                raise WikiMisconfigured(_UNSIGNED)
        raise not_understood("neither job nor failure")


def report(return_path: str, reason: str, now: datetime) -> str:
    """A delivery report of our own (RFC 3464), as BounceHandler reads one.

    It looks for ``To:`` with a bare address, ``Subject:``, the parts of Content-Type in this order, and
    ``Status:`` in a part whose type is ``message/delivery-status`` and nothing behind it. The original mail
    is gone, and the user's address was never known here: the recipient is the return path again.
    """
    domain = return_path.rpartition("@")[2]
    return "\r\n".join(
        [
            f"From: bounce-sidecar <postmaster@{domain}>",
            f"To: {return_path}",
            f"Subject: {_one_line(reason)}",
            f"Date: {format_datetime(now)}",
            "MIME-Version: 1.0",
            "Auto-Submitted: auto-replied",
            "Content-Type: multipart/report; report-type=delivery-status;",
            f'\tboundary="{BOUNDARY}"',
            "",
            f"--{BOUNDARY}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            f"bounce-sidecar has decided: {_one_line(reason)}",
            "",
            f"--{BOUNDARY}",
            "Content-Type: message/delivery-status",
            "",
            f"Reporting-MTA: dns; {domain}",
            "",
            f"Final-Recipient: rfc822; {return_path}",
            "Action: failed",
            "Status: 5.1.1",
            "",
            f"--{BOUNDARY}--",
            "",
        ]
    )


def _one_line(words: str) -> str:
    """In ASCII, printable, bounded: a line end in it would begin another field."""
    plain = "".join(character if " " <= character <= "~" else " " for character in words)
    return " ".join(plain.split())[:LONGEST_SUBJECT] or "mail does not arrive"
