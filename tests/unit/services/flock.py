"""What the tests of canaries share: a mail server that keeps them, and what is known of their rounds."""

from collections.abc import Callable
from datetime import timedelta

from sidecar.domain.vitals import CanaryRound, Vitals
from sidecar.services.canary import Canaries, Times
from sidecar.services.posting import CannotSend
from sidecar.services.receipt import Receipt
from sidecar.storage import signs

from .house import House

MINUTE = timedelta(minutes=1)
TIMES = Times(15 * MINUTE, 2 * MINUTE, 10 * MINUTE)


class Post:
    """A mail server that keeps what it gets until it is asked for it."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.refuses = ""

    def __call__(self, recipient: str, raw: bytes) -> None:
        if self.refuses:
            raise CannotSend(self.refuses)
        self.mails.append((recipient, raw))

    async def deliver(self, house: House) -> Receipt:
        recipient, raw = self.mails.pop(0)
        return await house.take(raw, recipient)


Flock = Callable[..., Canaries]


async def rounds(house: House) -> tuple[CanaryRound, ...]:
    return (await look(house)).canaries


async def look(house: House) -> Vitals:
    now = house.clock()
    return await house.database.read(lambda c: signs.vitals(c, now))
