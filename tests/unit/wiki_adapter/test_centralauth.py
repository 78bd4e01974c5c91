"""CentralAuth's answers: what a good one means, and that none of the others is guessed at."""

from datetime import UTC, datetime

import pytest

from sidecar.domain.person import LOCAL, Account, Person
from sidecar.domain.wiki import WikiMisconfigured
from wiki_adapter.centralauth import Answer, identify

#: As MediaWiki 1.43 with CentralAuth answered.
USER = {
    "userid": 5,
    "name": "Ann",
    "centralids": {"CentralAuth": 1, "local": 5},
    "attachedlocal": {"CentralAuth": True, "local": True},
}
MERGED = [
    {
        "wiki": "homewiki", "url": "http://127.0.0.1", "id": 4, "timestamp": "2026-11-02T00:00:00Z",
        "method": "primary", "editcount": 0, "registration": "2026-11-28T10:04:12Z",
    },
    {
        "wiki": "otherwiki", "url": "http://127.0.0.1", "id": 5, "timestamp": "2026-11-01T00:00:00Z",
        "method": "login", "editcount": 0, "registration": "2026-11-28T10:04:12Z",
    },
]  # fmt: skip
ABOUT = {"home": "homewiki", "id": 1, "registration": "2026-11-01T00:00:00Z", "name": "Ann", "merged": MERGED}


def told(users: object, about: object = None) -> Person:
    def ask(question: object) -> Answer:
        answers = [{"users": users}, {"globaluserinfo": about}]
        return answers["globaluserinfo" in str(question)]

    return identify(ask, 5)


def test_a_person_is_told_with_all_accounts_and_who_was_attached_first_in_front() -> None:
    other, home = Account("otherwiki", 5), Account("homewiki", 4)
    attached = {other: datetime(2026, 11, 1, tzinfo=UTC), home: datetime(2026, 11, 2, tzinfo=UTC)}
    person = Person("homewiki", (other, home), attached)
    assert told([USER], ABOUT) == person
    assert told([USER], {**ABOUT, "locked": True}) == person


@pytest.mark.parametrize("home", [None, ""])
def test_home_may_be_unknown(home: object) -> None:
    assert told([USER], {**ABOUT, "home": home}).home == ""


@pytest.mark.parametrize(
    "user",
    [
        {"userid": 5, "missing": True},
        {**USER, "attachedlocal": {"CentralAuth": False, "local": True}},  # the id is the namesake's
        {**USER, "centralids": {"CentralAuth": 0, "local": 5}},  # hidden
    ],
    ids=["no such user", "local only", "hidden"],
)
def test_nobody_else_is_asked_about_then(user: object) -> None:
    assert told([user]) == LOCAL


def test_who_is_hidden_between_the_questions_is_local() -> None:
    assert told([USER], {"missing": True}) == LOCAL


@pytest.mark.parametrize(
    ("user", "about", "words"),
    [
        ({**USER, "attachedlocal": {"local": True}}, None, "has no CentralAuth: set central = false"),
        ({"userid": 5, "name": "Ann"}, None, "has no CentralAuth: set central = false"),
        ({**USER, "userid": 6}, ABOUT, "somebody else"),
        (USER, {**ABOUT, "id": 2}, "somebody else"),
        ("Ann", None, "no users"),
        (USER, None, "no globaluserinfo"),
        (USER, {**ABOUT, "merged": None}, "no accounts"),
        (USER, {**ABOUT, "merged": ["homewiki"]}, "no accounts"),
        (USER, {**ABOUT, "merged": [{**MERGED[0], "id": "four"}]}, "accounts that are none"),
        *(
            (USER, {**ABOUT, "merged": [{**MERGED[0], "id": number}]}, "accounts that are none")
            for number in (0, -4, True, 4.5, "4", None, 10**30)
        ),
        (USER, {**ABOUT, "merged": [{**MERGED[0], "wiki": 4}]}, "accounts that are none"),
        (USER, {**ABOUT, "merged": [{**MERGED[0], "timestamp": "yesterday"}]}, "an unknown kind of time"),
        (USER, {**ABOUT, "merged": [{"id": 4}]}, "accounts that are none"),
        (USER, {**ABOUT, "merged": [{"wiki": "homewiki", "timestamp": ""}]}, "older than 1.41"),
    ],
)
def test_an_answer_that_is_none_is_misconfigured_and_not_local(
    user: object, about: object, words: str
) -> None:
    with pytest.raises(WikiMisconfigured, match=words):
        told([user], about)
