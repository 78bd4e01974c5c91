"""The endpoints that take whole mails: /bounces, and the one that stands in for BounceHandler's API.

Knows where each of them finds the recipient, and what BounceHandler's clients want to read. Does not know who
may come in (http_gate.py), sockets, or what becomes of a mail.
"""

from dataclasses import dataclass

from sidecar.domain import mime
from sidecar.edges import form, replies
from sidecar.edges.delivery import Deliveries
from sidecar.edges.http_talk import Answer, Asked, answer_to, say
from sidecar.services.receipt import Intake, Receipt, Received
from sidecar.services.recipient import find_recipient

__all__ = ["DropIn", "RawMail", "as_bouncehandler"]

WHAT_IT_IS = (
    "This endpoint takes BounceHandler's requests for bounce-sidecar and nothing else of MediaWiki's API: "
    "POST a form with action=bouncehandler, format=json and email=<the mail>"
)


@dataclass(frozen=True)
class RawMail:
    """POST /bounces?recipient=<return path>[&sender=<envelope sender>], the mail being the body."""

    intake: Intake
    deliveries: Deliveries
    patience: float
    size: int  #: octets of a mail

    def early(self, asked: Asked) -> Answer | None:
        """What can be refused before the mail is sent."""
        for name in asked.query:
            if name not in ("recipient", "sender"):
                return say(replies.bad_input("unknown parameter; there are: recipient, sender"))
        recipient = asked.one("recipient")
        if not recipient:
            return say(replies.bad_input("want one recipient: POST /bounces?recipient=<return path>"))
        if len(asked.query.get("sender", ())) > 1:
            return say(replies.bad_input("want one sender at most"))
        refusal = self.intake.refusal(_bare(recipient))
        return answer_to(refusal) if refusal else None

    async def handle(self, asked: Asked) -> Answer:
        raw = mime.without_mbox_line(asked.body)
        if not raw:
            return say(replies.bad_input("there is no mail in the body"))
        if len(raw) > self.size:
            return say(replies.BODY_TOO_BIG)
        received = Received(_bare(asked.one("recipient") or ""), _sender(asked.one("sender") or ""), raw)
        return answer_to(await self.deliveries.take(received, self.patience))


@dataclass(frozen=True)
class DropIn:
    """POST /w/api.php with action=bouncehandler, format=json and email=<raw mail>."""

    intake: Intake
    deliveries: Deliveries
    patience: float
    size: int  #: octets of a mail

    async def handle(self, asked: Asked) -> Answer:
        try:
            fields = form.fields(asked.headers.get("content-type", ""), asked.body)
        except form.BadForm as error:
            return say(replies.bad_input(f"{error}. {WHAT_IT_IS}"))
        for name, wanted in (("action", "bouncehandler"), ("format", "json")):
            value = fields.get(name, (asked.one(name) or "").encode("utf-8", "replace"))
            if value != wanted.encode():
                return say(replies.bad_input(f"{name} is not {wanted}. {WHAT_IT_IS}"))
        raw = mime.without_mbox_line(fields.get("email", b""))
        if not raw:
            return say(replies.bad_input(f"there is no mail in email. {WHAT_IT_IS}"))
        if len(raw) > self.size:
            return say(replies.BODY_TOO_BIG)
        recipient = find_recipient(raw, self.intake)
        if isinstance(recipient, Receipt):
            return answer_to(recipient)
        # Our own MTA writes the envelope sender into the first Return-Path; a forged one only makes it soft.
        sender = _sender(mime.parse(raw[: mime.MAX_HEADER]).first("return-path"))
        return answer_to(await self.deliveries.take(Received(recipient, sender, raw), self.patience))


def as_bouncehandler(answer: Answer) -> Answer:
    """*answer* in BounceHandler's form, but with a status that tells curl --fail the truth."""
    done = "job" if answer.status == 200 else "failure"
    return answer.dressed(bouncehandler={"submitted": done})


def _bare(path: str) -> str:
    """As LMTP hands it on, so that the same mail is a duplicate whatever door it comes through."""
    return path.strip().removeprefix("<").removesuffix(">")


def _sender(text: str) -> str:
    """The envelope sender, "" for the null sender, for which pipe(8) of Postfix writes MAILER-DAEMON."""
    address = text.rpartition("<")[2].partition(">")[0].strip()
    return address if "@" in address else ""
