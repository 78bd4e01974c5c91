"""What the API itself says, word for word: the practice wiki may not say anything else than the real one.

Knows requests and codes. Does not know the adapter, which is held to the meaning in test_wiki_contract.py.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.contract.bench import WikiBench
from tests.contract.practice_bench import practice_bench
from tests.support.mediawiki import MediaWiki

NOTHING = None  # this parameter is left out

GOOD = {"op": "unconfirm", "confirmedbefore": "2026-03-20T08:30:15Z"}

#: What is changed in a good action, and the error that comes of it.
ACTIONS: list[tuple[dict[str, str | None], str]] = [
    ({"action": "emailbounces"}, "badvalue"),
    ({"token": "bad+\\"}, "badtoken"),
    ({"token": NOTHING}, "missingparam"),
    ({"assertuser": "Somebody"}, "assertnameduserfailed"),
    ({"op": "burn"}, "badvalue"),
    ({"op": NOTHING}, "missingparam"),
    ({"userid": "five"}, "badinteger"),
    ({"userid": NOTHING}, "missingparam"),
    ({"userid": "99999999"}, "nosuchuser"),
    ({"confirmedbefore": "yesterday-ish"}, "badtimestamp"),
    ({"confirmedbefore": ""}, "badtimestamp"),
    ({"confirmedbefore": "2099-01-01T00:00:00Z"}, "badtimestamp"),
    ({"confirmedbefore": NOTHING}, "missingparam"),
    ({"op": "warn", "confirmedbefore": NOTHING}, "missingparam"),
    ({"op": "warn", "confirmedbefore": "2099-01-01T00:00:00Z"}, "badtimestamp"),
    ({"op": "restore", "fingerprint": "f00d"}, "missingparam"),
    ({"op": "restore", "confirmed": "2026-03-20T08:30:15Z"}, "missingparam"),
    ({"op": "restore", "confirmed": "", "fingerprint": "f00d"}, "badtimestamp"),
    ({"op": "mistyped"}, "missingparam"),
    ({"op": "mistyped", "sent": "2099-01-01T00:00:00Z"}, "badtimestamp"),
]

LOGINS: list[tuple[dict[str, str | None], tuple[str, str | None]]] = [
    ({}, ("Success", None)),
    ({"lgpassword": "w" * 32}, ("Failed", "wrongpassword")),
    ({"lgname": "Nobody@sidecar"}, ("Failed", "wrongpassword")),
    ({"lgname": "Nobody"}, ("Failed", "wrongpassword")),
    ({"lgtoken": "bad+\\"}, ("WrongToken", None)),
]


def post(session: requests.Session, bench: WikiBench, **parameters: str | None) -> requests.Response:
    return session.post(bench.api_url, {"format": "json", "formatversion": "2", **parameters}, timeout=20)


def token(session: requests.Session, bench: WikiBench, kind: str) -> str:
    answer = post(session, bench, action="query", meta="tokens", type=kind).json()
    found: str = answer["query"]["tokens"][f"{kind}token"]
    return found


def log_in(session: requests.Session, bench: WikiBench, **changes: str | None) -> dict[str, Any]:
    good = {"lgname": bench.account, "lgpassword": bench.password, "lgtoken": token(session, bench, "login")}
    answer: dict[str, Any] = post(
        session, bench, action="login", errorformat="raw", **{**good, **changes}
    ).json()
    return answer


class ApiContract:
    """A subclass brings the ``bench``."""

    @pytest.fixture
    def session(self) -> Iterator[requests.Session]:
        with requests.Session() as session:
            yield session

    @pytest.mark.parametrize(("changes", "code"), ACTIONS)
    def test_an_action_is_refused_with_its_code(
        self, bench: WikiBench, session: requests.Session, changes: dict[str, str | None], code: str
    ) -> None:
        log_in(session, bench)
        good = {
            "action": "emailbounce",
            **GOOD,
            "userid": str(bench.add_user(f"U{uuid4().hex}", "", None)),
            "token": token(session, bench, "csrf"),
            "assertuser": "BounceBot",
            "maxlag": "5",
        }
        response = post(session, bench, **{**good, **changes})
        assert response.status_code == 200
        assert response.json()["error"]["code"] == code
        assert response.headers["MediaWiki-API-Error"] == code

    @pytest.mark.parametrize(("changes", "result"), LOGINS)
    def test_a_login_has_its_result(
        self,
        bench: WikiBench,
        session: requests.Session,
        changes: dict[str, str | None],
        result: tuple[str, str | None],
    ) -> None:
        login = log_in(session, bench, **changes)["login"]
        assert (login["result"], login.get("reason", {}).get("code")) == result

    def test_a_login_needs_the_session_of_its_token(
        self, bench: WikiBench, session: requests.Session
    ) -> None:
        with requests.Session() as another:
            borrowed = token(another, bench, "login")
        session.cookies.clear()
        good = {"lgname": bench.account, "lgpassword": bench.password, "lgtoken": borrowed}
        login = post(session, bench, action="login", errorformat="raw", **good).json()["login"]
        assert (login["result"], login["reason"]["code"]) == ("Failed", "sessionlost")

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"action": "login"}, "mustbeposted"),
            ({"action": "emailbounce"}, "missingparam"),
            ({"action": "emailbounce", **GOOD, "userid": "1", "token": "+\\"}, "mustpostparams"),
        ],
    )
    def test_what_changes_something_must_be_posted(
        self, bench: WikiBench, session: requests.Session, query: dict[str, str], code: str
    ) -> None:
        query = {"format": "json", "formatversion": "2", **query}
        answer = session.get(bench.api_url, params=query, timeout=20).json()
        assert answer["error"]["code"] == code

    def test_a_visitor_is_denied(self, bench: WikiBench, session: requests.Session) -> None:
        user = str(bench.add_user(f"U{uuid4().hex}", "", None))
        visitors = token(session, bench, "csrf")
        assert visitors == "+\\"
        answer = post(session, bench, action="emailbounce", token=visitors, userid=user, **GOOD).json()
        assert answer["error"]["code"] == "permissiondenied"


class TestPracticeWiki(ApiContract):
    """In memory, always there."""

    @pytest.fixture
    def bench(self) -> Iterator[WikiBench]:
        with practice_bench() as practice:
            yield practice


@pytest.mark.servers
class TestMediaWiki(ApiContract):
    """The real one, in each version that we promise to work with."""

    @pytest.fixture
    def bench(self, mediawiki: MediaWiki) -> MediaWiki:
        return mediawiki
