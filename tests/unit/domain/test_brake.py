"""How many are too many."""

import pytest

from sidecar.domain.brake import Acted, Failed, Limits, too_many_acts, too_many_failures

LIMITS = Limits(
    users_per_hour=50, users_per_hour_in_all=80, factor=10.0, least=5, actions_per_hour=7, actions_per_day=20
)


@pytest.mark.parametrize(
    ("users", "usual", "in_all", "why"),
    [
        (50, None, False, ""),
        (51, None, False, "51 users failed within an hour, more than 50"),
        (80, None, True, ""),
        (81, None, True, "81 users failed within an hour, more than 80"),
        (5, 0.0, False, ""),
        (6, 0.0, False, "6 users failed within an hour, usually 0"),
        (6, 0.5, False, "6 users failed within an hour, usually 0.5"),
        (20, 2.0, False, ""),
        (21, 2.0, False, "21 users failed within an hour, usually 2"),
        (21, 2.0, True, "21 users failed within an hour, usually 2"),
    ],
)
def test_failures_are_too_many_in_number_or_against_the_usual(
    users: int, usual: float | None, in_all: bool, why: str
) -> None:
    assert too_many_failures(Failed(users, usual), LIMITS, in_all=in_all) == why


@pytest.mark.parametrize(
    ("hour", "day", "why"),
    [
        (7, 20, ""),
        (8, 8, "8 actions were decided within an hour, more than 7"),
        (1, 21, "21 actions were decided within a day, more than 20"),
    ],
)
def test_actions_have_caps(hour: int, day: int, why: str) -> None:
    assert too_many_acts(Acted(hour, day), LIMITS)[0] == why
