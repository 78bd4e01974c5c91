"""The endpoint for nodes without a database: what they have signed, so that it shows what arrived.

Knows the shape of what they tell. Does not know who is watched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sidecar.domain.json_text import NotJson, parse
from sidecar.domain.send import Send
from sidecar.edges import replies
from sidecar.edges.http_talk import Answer, Asked, say

__all__ = ["MOST", "Sends", "as_json"]

MOST = 2000  # of one request; some 200 KiB
LONGEST = 64  # characters of a wiki's id
FIELDS = {"wiki": str, "user": int, "sent": int, "tag": str, "key": str}


class Unfit(Exception):
    """Not what a node sends. The message says which field."""


def as_json(mails: list[Send]) -> dict[str, Any]:
    """What is told of *mails*: no address, and nothing that would be one."""
    return {
        "sends": [
            {
                "wiki": mail.wiki,
                "user": mail.user_id,
                "sent": int(mail.sent.timestamp()),
                "tag": mail.tag,
                "key": mail.key_id,
            }
            for mail in mails
        ]
    }


@dataclass(frozen=True)
class Sends:
    """POST /sends with {"sends": [{"wiki", "user", "sent", "tag", "key"}, ...]}."""

    note: Callable[[Send], None]

    async def handle(self, asked: Asked) -> Answer:
        """All of them or none. Those of watched users are in the history soon after."""
        try:
            mails = _read(asked.body)
        except (NotJson, Unfit) as error:
            return say(replies.bad_input(str(error)))
        for mail in mails:
            self.note(mail)
        return say(replies.NOTED)


def _read(body: bytes) -> list[Send]:
    told = parse(body)
    sends = told.get("sends") if isinstance(told, dict) else None
    if not isinstance(sends, list) or len(told) > 1 or len(sends) > MOST:
        raise Unfit(f"want sends: a list of {MOST} at most, and nothing else")
    return [_one(one) for one in sends]


def _one(told: Any) -> Send:
    if not isinstance(told, dict) or told.keys() != FIELDS.keys():
        raise Unfit(f"sends: want {', '.join(FIELDS)} of each, and nothing else")
    for name, kind in FIELDS.items():
        value = told[name]
        if type(value) is not kind or (isinstance(value, str) and len(value) > LONGEST):
            raise Unfit(
                f"sends: {name}: want {'a number' if kind is int else f'{LONGEST} characters at most'}"
            )
    try:
        sent = datetime.fromtimestamp(told["sent"], UTC)
    except (ValueError, OverflowError, OSError):
        raise Unfit("sends: sent: no time") from None
    return Send(told["wiki"], told["user"], sent, told["tag"], told["key"])
