"""The practice wiki's action=emailbounce: the acts of the extension, each under its condition.

Knows what the extension's Acts.php knows, and holds it to the same contract. Does not know HTTP or who asks.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from .practice_parameters import integer, names, required, time
from .practice_troubles import ApiError
from .practice_users import Entry, Mailbox, PracticeUsers

__all__ = ["PracticeBounce"]

#: Between the making of a confirmation token and the sending of its mail: so much earlier, so much later.
TOKEN_BEFORE_MAIL, TOKEN_AFTER_MAIL = timedelta(seconds=60), timedelta(seconds=5)

Given = Mapping[str, str]
Answer = dict[str, Any]


class PracticeBounce:
    """One request: what was given, to whom it is about, and when."""

    def __init__(self, users: PracticeUsers, given: Given, now: datetime) -> None:
        self._users, self._given, self._now = users, given, now
        operations: dict[str, tuple[Callable[[Mailbox], Answer], str]] = {
            "warn": (self._warn, "confirmedbefore"),
            "unconfirm": (self._unconfirm, "confirmedbefore"),
            "restore": (self._restore, "confirmed"),
            "mistyped": (self._mistyped, "sent"),
        }
        self._operation = required(given, "op")
        if self._operation not in operations:
            raise ApiError("badvalue", f'Unrecognized value for parameter "op": {self._operation}.')
        self._act, moment = operations[self._operation]
        self._user_id, self._moment = integer(given, "userid"), time(given, moment, now)

    def answer(self, *, failing: bool = False) -> Answer:
        """Act, and say what was done. Raises ApiError; *failing* as when the database breaks down."""
        try:
            user = self._users.mailbox(self._user_id)
        except KeyError:
            raise ApiError("nosuchuser", f"There is no user with ID {self._user_id}.") from None
        if failing:
            raise ApiError("internal_api_error_RuntimeException", "Exception caught: The disk is full")
        return {"op": self._operation, "userid": user.user_id, **self._act(user)}

    def _warn(self, user: Mailbox) -> Answer:
        if left_alone := self._left_alone(user):
            return left_alone
        told = self._users.last_entry(user.user_id, "warn")
        if told and told.at > self._moment:
            return {"result": "warned"}
        return self._tell(user)

    def _unconfirm(self, user: Mailbox) -> Answer:
        if left_alone := self._left_alone(user):
            return left_alone
        assert user.confirmed_at, "left alone"
        taken = _iso(user.confirmed_at), self._users.fingerprint(user.user_id)
        self._users.set_confirmed(user.user_id, None)
        if "announce" in self._given:
            self._users.tell(user.user_id, self._operation)
        entry = self._write(*taken)
        return {"result": "unconfirmed", "confirmed": taken[0], "fingerprint": taken[1], "logid": entry}

    def _restore(self, user: Mailbox) -> Answer:
        wanted, fingerprint = self._moment, required(self._given, "fingerprint")
        if user.confirmed_at:
            result = "already" if user.confirmed_at == wanted else "changed"
            return {"result": result, "confirmed": _iso(user.confirmed_at)}
        if self._taken(user) != {"confirmed": _iso(wanted), "fingerprint": fingerprint}:
            return {"result": "changed"}
        self._users.set_confirmed(user.user_id, wanted)
        return {"result": "restored", "logid": self._write(_iso(wanted))}

    def _mistyped(self, user: Mailbox) -> Answer:
        if user.confirmed_at:
            return {"result": "changed", "confirmed": _iso(user.confirmed_at)}
        sent, asked = self._moment, user.asked_at
        if not user.address or not asked or not -TOKEN_BEFORE_MAIL <= asked - sent <= TOKEN_AFTER_MAIL:
            return {"result": "changed"}
        told = self._users.last_entry(user.user_id, "mistyped")
        if told and told.about == (_iso(sent),):
            return {"result": "warned"}
        return self._tell(user, _iso(sent))

    def _left_alone(self, user: Mailbox) -> Answer | None:
        if user.confirmed_at is None:
            return {"result": "already", **self._taken(user)}
        if user.confirmed_at >= self._moment:
            return {"result": "changed", "confirmed": _iso(user.confirmed_at)}
        own = self._users.groups(user.user_id)
        group = next((group for group in names(self._given, "protect") if group in own), None)
        return {"result": "protected", "group": group} if group else None

    def _taken(self, user: Mailbox) -> dict[str, str]:
        """The confirmation that we took away, if that is why there is none, and the address is the same."""
        last = self._users.last_entry(user.user_id, "unconfirm", "restore")
        if last is None or last.act != "unconfirm" or last.about[1] != self._users.fingerprint(user.user_id):
            return {}
        return {"confirmed": last.about[0], "fingerprint": last.about[1]}

    def _tell(self, user: Mailbox, *about: str) -> Answer:
        self._users.tell(user.user_id, self._operation)
        return {"result": "warned", "logid": self._write(*about)}

    def _write(self, *about: str) -> int:
        reason = self._given.get("reason", "")
        return self._users.write_log(Entry(self._user_id, self._operation, reason, self._now, about))


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
