"""What a hostile wiki once broke, or could break: one by one, where ``make attack`` picks by chance."""

import pytest

from tests.attack.tally import Tally
from tests.attack.wiki.answers import HEALTHY, places, spoilt
from tests.attack.wiki.hostile import HEADER, Hostile, access_to, plain
from tests.attack.wiki.wire import ACTION, ATTACKS, attacked
from wiki_adapter import Adapter, open_wiki
from wiki_adapter.transport import LONGEST_COOKIE, MOST_COOKIES

BOTH = [Adapter.MWCLIENT, Adapter.PYWIKIBOT]
REDIRECTS = [name for name in ATTACKS if name.startswith("redirect")]
HARD = [
    "endless body", "endless chunks", "endless chunk line", "endless header line", "bomb gzip",
    "bomb gzip, gzip", "secrets in a header", "retry after a date", "huge numbers in it",
    "a length without end",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("adapter", BOTH)
@pytest.mark.parametrize("name", HARD)
def test_an_answer_that_attacks_costs_little_and_tells_nothing(name: str, adapter: Adapter) -> None:
    tally = Tally()
    attacked(name, "emailbounce", adapter, tally)
    assert tally.wrongs == []


@pytest.mark.slow
@pytest.mark.parametrize("adapter", BOTH)
@pytest.mark.parametrize("at", ["login token", "login"])
def test_no_redirect_takes_the_password_elsewhere(at: str, adapter: Adapter) -> None:
    tally = Tally()
    for name in REDIRECTS:
        attacked(name, at, adapter, tally)
    assert (tally.wrongs, tally.attacks["redirect"]) == ([], len(REDIRECTS))


def test_cookies_do_not_pile_up_and_the_session_lasts() -> None:
    crumbs = iter(range(10_000))

    def octets() -> list[bytes]:
        many = b"".join(b"Set-Cookie: c%d=v; Path=/\r\n" % next(crumbs) for _ in range(40))
        long = b"Set-Cookie: long=" + b"x" * LONGEST_COOKIE + b"\r\n"
        return [plain(HEALTHY["protected"]).replace(HEADER, HEADER + many + long)]

    wiki = Hostile("emailbounce", octets)  # type: ignore[arg-type]  # a list is iterated, too
    client = open_wiki(access_to(wiki))
    try:
        for _ in range(5):
            client.perform(ACTION)
        jar = client.transport._site.connection.cookies  # type: ignore[attr-defined]
        assert len(jar) == MOST_COOKIES
        assert "long" not in jar
        assert b"c0=v" in wiki.asked[-1].said, "the oldest is the session's"
    finally:
        client.close()
        wiki.close()


def test_every_place_of_an_answer_is_spoilt() -> None:
    answer = {"a": [{"b": 1}]}
    assert [spoilt(answer, path, 0) for path in places(answer)] == [
        0,
        {"a": 0},
        {"a": [0]},
        {"a": [{"b": 0}]},
    ]
    assert answer == {"a": [{"b": 1}]}
