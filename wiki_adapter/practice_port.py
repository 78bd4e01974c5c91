"""The practice wiki without HTTP: the port, straight to its acts.

For stories of thousands of users, and for a clock that is not the machine's. Knows how an action is spelled
and answered, as the adapter does. Has no login and no trouble of its own.
"""

from collections.abc import Callable
from datetime import datetime

from sidecar.domain.wiki import Action, Outcome

from .answers import from_code
from .emailbounce import outcome, parameters
from .practice_bounce import PracticeBounce
from .practice_troubles import ApiError
from .practice_users import PracticeUsers

__all__ = ["PracticePort"]


class PracticePort:
    """A ``Wiki`` of *users* by *clock*; for one thread at a time."""

    def __init__(self, users: PracticeUsers, clock: Callable[[], datetime]) -> None:
        self._users, self._clock = users, clock

    def perform(self, action: Action) -> Outcome:
        """Carry out *action*, at once. Raises WikiMisconfigured or WikiRefused."""
        given = {name: str(value) for name, value in parameters(action).items()}
        try:
            answer = PracticeBounce(self._users, given, self._clock()).answer()
        except ApiError as error:
            raise from_code(error.code, error.info) from None
        return outcome(answer)

    def close(self) -> None:
        """There is nothing to let go."""
