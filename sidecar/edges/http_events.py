"""The endpoint for events of any mail provider, as JSON in our own generic form.

Knows single events, lists of them, and which answer of several is the request's. Does not know the fields of
an event (domain/event_form.py) nor who may come in.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from sidecar.domain import event_form
from sidecar.domain.event import Event, compose
from sidecar.domain.json_text import NotJson, parse
from sidecar.edges import replies
from sidecar.edges.delivery import Deliveries
from sidecar.edges.http_talk import Answer, Asked, answer_to, say
from sidecar.services.receipt import Intake, Received

__all__ = ["MAX_EVENTS", "Events", "book"]

MAX_EVENTS = 100  #: of one request; they share a commit


async def book(event: Event, intake: Intake, deliveries: Deliveries, patience: float) -> Answer:
    """Have the intake take the mail that *event* is made into."""
    if refusal := intake.refusal(event.return_path):
        return answer_to(refusal)
    # Providers tell of bounces, not of mail with a sender: the null sender is theirs by right.
    received = Received(event.return_path, "", compose(event))
    return answer_to(await deliveries.take(received, patience))


@dataclass(frozen=True)
class Events:
    """POST /events with one event, or with {"events": [...]}."""

    intake: Intake
    deliveries: Deliveries
    patience: float

    async def handle(self, asked: Asked) -> Answer:
        if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return say(replies.bad_input("want Content-Type: application/json"))
        try:
            told = parse(asked.body)
        except NotJson as error:
            return say(replies.bad_input(str(error)))
        if not (isinstance(told, dict) and "events" in told):
            return await self._take(told)
        events = told["events"]
        if len(told) > 1 or not isinstance(events, list) or not 0 < len(events) <= MAX_EVENTS:
            return say(
                replies.bad_input(f"events: want a list of 1 to {MAX_EVENTS} events, and nothing else")
            )
        answers = await asyncio.gather(*map(self._take, events))
        worst = max(answers, key=_badness)
        return Answer(worst.status, {"events": [answer.body for answer in answers]}, worst.headers)

    async def _take(self, told: Any) -> Answer:
        try:
            event = event_form.parse(told)
        except event_form.BadEvent as error:
            return say(replies.bad_input(str(error)))
        return await book(event, self.intake, self.deliveries, self.patience)


def _badness(answer: Answer) -> int:
    """Trouble above all, because sending all of it again mends that and does no harm; then what the client
    can mend; then refusals, which nothing mends."""
    return {503: 3, 400: 2, 200: 0}.get(answer.status, 1)
