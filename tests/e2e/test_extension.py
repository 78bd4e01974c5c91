"""The extension's API in a real MediaWiki: what action=emailbounce answers, refuses, writes down and keeps.

Knows the wiki's own database. Does not know the sidecar, which is only one of its callers.
"""

import json
import re
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.bench import Mailbox, Mood
from tests.support.mediawiki import GROUP, MediaWiki
from tests.support.mediawiki_visitor import Visitor

pytestmark = pytest.mark.servers

CONFIRMED = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = CONFIRMED + timedelta(seconds=1)
REASON = "5.1.1 No such user here"


class Person:
    """A registered user with a confirmed address."""

    def __init__(self, wiki: MediaWiki, address: str | None = None, confirmed: datetime | None = CONFIRMED):
        self.name = f"Person {secrets.token_hex(4)}"
        self.address = f"{secrets.token_hex(4)}@example.org" if address is None else address
        self.id = wiki.add_user(self.name, self.address, confirmed)


@pytest.fixture
def person(mediawiki: MediaWiki) -> Person:
    return Person(mediawiki)


def unconfirm(visitor: Visitor, user_id: int, before: datetime = LATER) -> dict[str, Any]:
    return visitor.act(**request(user_id, before))


def request(user_id: int, before: datetime = LATER) -> dict[str, object]:
    return {
        "action": "emailbounce",
        "op": "unconfirm",
        "userid": user_id,
        "confirmedbefore": before.isoformat(),
        "reason": REASON,
    }


def untouched(wiki: MediaWiki, person: Person) -> None:
    assert wiki.mailbox(person.id) == Mailbox(person.address, CONFIRMED)
    assert wiki.log(person.id) == []


def test_an_address_confirmed_before_the_mail_is_un_confirmed_and_kept(
    mediawiki: MediaWiki, person: Person
) -> None:
    answer = unconfirm(mediawiki.bot(), person.id)["emailbounce"]
    assert re.fullmatch("[0-9a-f]{32}", answer.pop("fingerprint"))
    assert answer.pop("logid") > 0
    assert answer == {
        "op": "unconfirm",
        "userid": person.id,
        "result": "unconfirmed",
        "confirmed": "2026-11-01T12:00:00Z",
    }
    assert mediawiki.mailbox(person.id) == Mailbox(person.address, None)
    assert mediawiki.log(person.id) == [REASON]


def test_doing_it_twice_changes_and_logs_nothing_more(mediawiki: MediaWiki, person: Person) -> None:
    bot = mediawiki.bot()
    first = unconfirm(bot, person.id)["emailbounce"]
    again = unconfirm(bot, person.id)["emailbounce"]
    del first["logid"]
    assert again == {**first, "result": "already"}
    assert mediawiki.log(person.id) == [REASON]


@pytest.mark.parametrize(("address", "confirmed"), [("", None), ("never@example.org", None)])
def test_what_was_never_confirmed_is_already_as_we_want_it(
    mediawiki: MediaWiki, address: str, confirmed: datetime | None
) -> None:
    person = Person(mediawiki, address, confirmed)
    answer = unconfirm(mediawiki.bot(), person.id)
    assert answer["emailbounce"]["result"] == "already"
    assert mediawiki.mailbox(person.id) == Mailbox(address, None)


@pytest.mark.parametrize("mail_sent", [CONFIRMED, CONFIRMED - timedelta(days=30)])
def test_an_address_confirmed_since_the_mail_is_left_alone(
    mediawiki: MediaWiki, person: Person, mail_sent: datetime
) -> None:
    answer = unconfirm(mediawiki.bot(), person.id, mail_sent)
    assert answer["emailbounce"] == {
        "op": "unconfirm",
        "userid": person.id,
        "result": "changed",
        "confirmed": "2026-11-01T12:00:00Z",
    }
    assert mediawiki.mailbox(person.id) == Mailbox(person.address, CONFIRMED)
    assert mediawiki.log(person.id) == []


def test_a_changed_address_is_left_alone(mediawiki: MediaWiki, person: Person) -> None:
    mediawiki.change_address(person.id, "new@example.net")
    assert unconfirm(mediawiki.bot(), person.id)["emailbounce"]["result"] == "already"
    mediawiki.confirm(person.id, LATER)
    assert unconfirm(mediawiki.bot(), person.id)["emailbounce"]["result"] == "changed"
    assert mediawiki.mailbox(person.id) == Mailbox("new@example.net", LATER)


def test_the_answer_gives_no_address_away(mediawiki: MediaWiki, person: Person) -> None:
    bot = mediawiki.bot()
    answers = [unconfirm(bot, person.id) for _ in range(2)]
    assert person.address not in json.dumps(answers)


def test_a_renamed_user_is_still_the_one_we_un_confirmed(mediawiki: MediaWiki, person: Person) -> None:
    bot = mediawiki.bot()
    first = unconfirm(bot, person.id)["emailbounce"]
    mediawiki.rename(person.id, f"Renamed {secrets.token_hex(4)}")
    assert unconfirm(bot, person.id)["emailbounce"]["fingerprint"] == first["fingerprint"]


def test_a_long_reason_is_cut(mediawiki: MediaWiki, person: Person) -> None:
    mediawiki.bot().act(**{**request(person.id), "reason": "ü" * 5000})
    [comment] = mediawiki.log(person.id)
    assert 100 < len(comment) <= 500


Refusal = tuple[str, dict[str, object]]
WRONG_REQUESTS: dict[str, Refusal] = {
    "no such user": ("nosuchuser", {"userid": 99999}),
    "nobody": ("nosuchuser", {"userid": 0}),
    "a name": ("badinteger", {"userid": "Admin"}),
    "no operation": ("badvalue", {"op": "destroy"}),
    "no time": ("badtimestamp", {"confirmedbefore": ""}),
    "time zero, which MediaWiki reads as the present": ("badtimestamp", {"confirmedbefore": "0"}),
    "no time at all": ("badtimestamp", {"confirmedbefore": "yesterday, perhaps"}),
    "wrong token": ("badtoken", {"token": "0+\\"}),
}


@pytest.mark.parametrize("kind", WRONG_REQUESTS)
def test_a_wrong_request_is_refused(mediawiki: MediaWiki, person: Person, kind: str) -> None:
    code, wrong = WRONG_REQUESTS[kind]
    bot = mediawiki.bot()
    answer = bot.post(**{**request(person.id), "token": bot.token("csrf"), **wrong})
    assert answer["error"]["code"] == code
    untouched(mediawiki, person)


@pytest.mark.parametrize("name", ["op", "userid", "confirmedbefore", "token"])
def test_nothing_may_be_left_out(mediawiki: MediaWiki, person: Person, name: str) -> None:
    bot = mediawiki.bot()
    complete = {**request(person.id), "token": bot.token("csrf")}
    answer = bot.post(**{key: value for key, value in complete.items() if key != name})
    assert answer["error"]["code"] == "missingparam"
    untouched(mediawiki, person)


def test_a_get_is_refused(mediawiki: MediaWiki, person: Person) -> None:
    bot = mediawiki.bot()
    answer = bot.get(**request(person.id), token=bot.token("csrf"))
    assert answer["error"]["code"] == "mustpostparams"
    untouched(mediawiki, person)


@pytest.mark.parametrize(
    "somebody", [MediaWiki.visitor, MediaWiki.admin, lambda wiki: wiki.user(Person(wiki).id)]
)
def test_only_the_group_may(
    mediawiki: MediaWiki, person: Person, somebody: Callable[[MediaWiki], Visitor]
) -> None:
    answer = unconfirm(somebody(mediawiki), person.id)
    assert answer["error"]["code"] == "permissiondenied"
    untouched(mediawiki, person)


REFUSING_MOODS = {
    Mood.NO_RIGHT: "permissiondenied",
    Mood.NO_GRANT: "permissiondenied",
    Mood.NO_EXTENSION: "badvalue",
    Mood.BOT_BLOCKED: "blocked",
    Mood.RATE_LIMITED: "ratelimited",
}


@pytest.mark.parametrize("mood", REFUSING_MOODS)
def test_a_wiki_that_does_not_let_the_bot_act_says_why(
    mediawiki: MediaWiki, person: Person, mood: Mood
) -> None:
    with mediawiki.mood(mood):
        answer = unconfirm(mediawiki.bot(), person.id)
    assert answer["error"]["code"] == REFUSING_MOODS[mood]
    untouched(mediawiki, person)
    assert unconfirm(mediawiki.bot(), person.id)["emailbounce"]["result"] == "unconfirmed"


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (Mood.READ_ONLY, "readonly"),
        (Mood.LAGGED, "maxlag"),
        (Mood.EXCEPTION, "internal_api_error_RuntimeException"),
    ],
)
def test_a_wiki_in_trouble_does_nothing_by_halves(
    mediawiki: MediaWiki, person: Person, mood: Mood, code: str
) -> None:
    bot = mediawiki.bot()
    token = bot.token("csrf")
    with mediawiki.mood(mood):
        answer = bot.post(**request(person.id), token=token, maxlag=5)
    assert answer["error"]["code"] == code
    untouched(mediawiki, person)


def test_what_was_not_stored_is_not_claimed(mediawiki: MediaWiki, person: Person) -> None:
    mediawiki.configure(
        """$wgHooks['UserSaveSettings'][] = static function ( $user ) {
            wfGetDB( DB_PRIMARY )->update(
                'user', [ 'user_email_authenticated' => '20261101120000' ], [ 'user_id' => $user->getId() ]
            );
        };"""
    )
    answer = unconfirm(mediawiki.bot(), person.id)
    assert answer["error"]["code"] == "internal_api_error_RuntimeException"
    untouched(mediawiki, person)


def test_a_wiki_without_email_confirmation_says_that_it_would_be_in_vain(
    mediawiki: MediaWiki, person: Person
) -> None:
    mediawiki.set(wgEmailAuthentication=False)
    answer = unconfirm(mediawiki.bot(), person.id)
    assert answer["error"]["code"] == "emailauthenticationdisabled"
    assert "$wgEmailAuthentication" in answer["error"]["info"]
    untouched(mediawiki, person)


def test_of_four_at_once_exactly_one_un_confirms(mediawiki: MediaWiki) -> None:
    people = [Person(mediawiki) for _ in range(5)]
    bots = [mediawiki.bot() for _ in range(4)]
    tokens = {bot: bot.token("csrf") for bot in bots}
    start = threading.Barrier(len(bots))

    def race(bot: Visitor) -> list[str]:
        results = []
        for person in people:
            start.wait()
            answer = bot.post(**request(person.id), token=tokens[bot])
            results.append(answer["emailbounce"]["result"])
        return results

    with ThreadPoolExecutor(len(bots)) as pool:
        results = list(pool.map(race, bots))
    for person, answers in zip(people, zip(*results, strict=True), strict=True):
        assert sorted(answers) == ["already"] * 3 + ["unconfirmed"]
        assert mediawiki.log(person.id) == [REASON]


def test_the_log_is_seen_by_sysops_and_the_group_and_by_nobody_else(
    mediawiki: MediaWiki, person: Person
) -> None:
    unconfirm(mediawiki.bot(), person.id)

    def seen(visitor: Visitor) -> list[dict[str, Any]]:
        answer = visitor.get(action="query", list="logevents", letitle=f"User:{person.name}")
        events: list[dict[str, Any]] = answer["query"]["logevents"]
        return [event for event in events if event["type"] == "emailbounce"]

    [event] = seen(mediawiki.admin())
    assert (event["action"], event["user"], event["comment"]) == ("unconfirm", "BounceBot", REASON)
    assert event["params"]["confirmed"] == "2026-11-01T12:00:00Z"
    member = Person(mediawiki)
    mediawiki.set_group(member.id, GROUP, member=True)
    assert seen(mediawiki.user(member.id)) == [event]
    assert seen(mediawiki.user(person.id)) == []
    assert seen(mediawiki.visitor()) == []
    changes = mediawiki.admin().get(action="query", list="recentchanges", rctype="log", rclimit=500)
    assert person.name not in json.dumps(changes)
