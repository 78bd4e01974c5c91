"""The practice wiki without HTTP: the port, straight to its acts.

For stories of thousands of users, and for a clock that is not the machine's. Knows how an action is spelled
and answered, as the adapter does. Has no login and no trouble of its own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from sidecar.domain.person import LOCAL, Person
from sidecar.domain.wiki import Action, Outcome

from . import centralauth
from .answers import from_code
from .emailbounce import outcome, parameters
from .practice_bounce import PracticeBounce
from .practice_central import PracticeCentral
from .practice_troubles import ApiError
from .practice_users import PracticeUsers

__all__ = ["PracticePort"]


class PracticePort:
    """A ``Wiki`` of *users* by *clock*; for one thread at a time."""

    def __init__(
        self,
        users: PracticeUsers,
        clock: Callable[[], datetime],
        *,
        wiki_id: str = "",
        central: PracticeCentral | None = None,  #: which knows these users by that id
    ) -> None:
        self._users, self._clock, self._wiki_id, self._central = users, clock, wiki_id, central

    def perform(self, action: Action) -> Outcome:
        """Carry out *action*, at once. Raises WikiMisconfigured or WikiRefused."""
        given = _spelled(parameters(action))
        try:
            answer = PracticeBounce(self._users, given, self._clock()).answer()
        except ApiError as error:
            raise from_code(error.code, error.info) from None
        return outcome(answer)

    def identify(self, user_id: int) -> Person:
        """To whom this account belongs centrally."""
        if self._central is None:
            return LOCAL
        ask = partial(self._central.answer, self._wiki_id)
        return centralauth.identify(lambda question: ask(_spelled(question)), user_id)

    def close(self) -> None:
        """There is nothing to let go."""


def _spelled(question: Mapping[str, str | int]) -> dict[str, str]:
    return {name: str(value) for name, value in question.items()}
