"""The endpoint to which Amazon SNS sends the events of Amazon SES.

Knows in which order a message is doubted: what costs us nothing first, and nothing is fetched for a topic
that is not configured. Does not know how a signature is checked (sns.py) nor what SES says (domain/ses.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from sidecar.domain import ses
from sidecar.edges import replies, sns
from sidecar.edges.delivery import Deliveries
from sidecar.edges.few_lines import FewLines
from sidecar.edges.http_events import book
from sidecar.edges.http_talk import Answer, Asked, say
from sidecar.edges.https_fetch import CannotFetch
from sidecar.services.receipt import Intake
from sidecar.telemetry import Metrics

__all__ = ["SnsEndpoint"]

PATIENCE = 8.0  # seconds for the intake; with those for Amazon it is less than the 15 that SNS waits
AMAZON = 5.0  # seconds for what is fetched there, waiting for our turn included
CERTIFICATES = 8  # kept; a region has one, and a new one once a year
KINDS = ("bounce", "complaint", "delivery")  # that are counted by their names; the rest is "other"

log = structlog.get_logger()


class SnsEndpoint:
    """POST /sns: for everybody who can sign as Amazon does, about the topics that are configured."""

    def __init__(
        self,
        intake: Intake,
        deliveries: Deliveries,
        topics: tuple[str, ...],
        clock: Callable[[], datetime],
        fetch: Callable[[str], Awaitable[bytes]],  #: raises CannotFetch
        metrics: Metrics,
    ) -> None:
        self._intake, self._deliveries, self._topics = intake, deliveries, frozenset(topics)
        self._clock, self._fetch, self._metrics = clock, fetch, metrics
        self._certificates: dict[str, bytes] = {}
        self._few = FewLines()  # anybody may send what nobody signed
        self._fetching = asyncio.Lock()  # one at a time: nobody makes us flood Amazon

    async def handle(self, asked: Asked) -> Answer:
        if asked.headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
            return say(replies.RAW_DELIVERY)
        try:
            envelope = sns.Envelope.parse(asked.body)
            url = sns.certificate_url(envelope)
        except sns.BadEnvelope as error:
            return say(replies.bad_input(str(error)))
        if envelope.topic not in self._topics:
            return say(replies.OTHER_TOPIC)
        now = self._clock()
        if not envelope.is_fresh(now):
            return say(replies.STALE)
        try:
            certificate = await self._certificate(url)
        except CannotFetch as error:
            self._few.say(log.warning, "sns certificate not fetched", why=str(error))
            return say(replies.NO_CERTIFICATE)
        if not envelope.is_signed_by(certificate, now):
            why = replies.BAD_SIGNATURE.words
            self._few.say(log.warning, "sns refused", topic=envelope.topic, why=why)
            return say(replies.BAD_SIGNATURE)
        self._keep(url, certificate)
        return await self._believe(envelope)

    async def _believe(self, envelope: sns.Envelope) -> Answer:
        if envelope.kind == sns.SUBSCRIPTION:
            return await self._subscribe(envelope)
        if envelope.kind != sns.NOTIFICATION:
            log.warning("sns unsubscribed", topic=envelope.topic)
            return say(replies.NOT_BOOKED)
        try:
            told = ses.parse(envelope.message)
        except ses.NotUnderstood as error:
            log.warning("sns refused", topic=envelope.topic, why=str(error))
            return say(replies.bad_input(str(error)))
        answer = say(replies.NOT_BOOKED)
        if told.event:
            answer = await book(told.event, self._intake, self._deliveries, PATIENCE)
        if answer.status == 200:
            self._metrics.events.labels(told.kind if told.kind in KINDS else "other").inc()
        return answer

    async def _subscribe(self, envelope: sns.Envelope) -> Answer:
        """Say yes to Amazon's question whether we want this topic."""
        url = envelope.fields["SubscribeURL"]
        if not sns.is_amazons(url):
            return say(replies.bad_input("SubscribeURL: not at sns.REGION.amazonaws.com"))
        try:
            await self._fetched(url)
        except CannotFetch as error:
            log.warning("sns not subscribed", topic=envelope.topic, why=str(error))
            return say(replies.NOT_SUBSCRIBED)
        log.info("sns subscribed", topic=envelope.topic)
        return say(replies.SUBSCRIBED)

    async def _certificate(self, url: str) -> bytes:
        """Raises CannotFetch."""
        return self._certificates.get(url) or await self._fetched(url)

    def _keep(self, url: str, certificate: bytes) -> None:
        """One that has proven a message; others are not worth the room."""
        while url not in self._certificates and len(self._certificates) >= CERTIFICATES:
            self._certificates.pop(next(iter(self._certificates)))
        self._certificates[url] = certificate

    async def _fetched(self, url: str) -> bytes:
        """Raises CannotFetch."""
        try:
            async with asyncio.timeout(AMAZON), self._fetching:
                return await self._fetch(url)
        except TimeoutError:
            raise CannotFetch(f"not within {AMAZON:g} seconds") from None
