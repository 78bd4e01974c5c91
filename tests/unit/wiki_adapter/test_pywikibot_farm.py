"""pywikibot finds a wiki by its family or by its name in the database.

What Wikimedia's servers would say is said by a practice wiki.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from sidecar import __version__
from sidecar.domain.wiki import Effect, WikiError, WikiMisconfigured, WikiUnavailable
from tests.unit.wiki_adapter.practice_access import CONTACT, access_to, unconfirm
from wiki_adapter import DatabaseName, FamilySite, OAuth2
from wiki_adapter.practice_http import PracticeServer, Reply, Request
from wiki_adapter.practice_wiki import PracticeWiki
from wiki_adapter.pywikibot_wiki import PywikibotTransport, PywikibotWiki

# Families and farms


#: Shortened; https://meta.wikimedia.org/w/api.php?action=help&modules=sitematrix
MATRIX = {
    "count": 4,
    "0": {"code": "de", "site": [{"url": "https://de.wikipedia.org", "dbname": "dewiki"}]},
    "1": {"code": "xx", "site": []},
    "specials": [
        {"url": "https://commons.wikimedia.org", "dbname": "commonswiki"},
        {"url": "http://plain.wikimedia.org", "dbname": "plainwiki"},
    ],
}


class Wikimedia:
    """Wikimedia's servers, as far as we ask them: the sitematrix, and behind every other name one wiki."""

    def __init__(self, wiki: PracticeWiki) -> None:
        self._wiki = wiki
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.server = PracticeServer(self.answer)

    def answer(self, request: Request) -> Reply:
        self.agents.add(request.user_agent)
        if request.parameters.get("action") == "sitematrix":
            return Reply(json.dumps({"sitematrix": MATRIX}))
        return self._wiki.answer(request)


class Rerouted(HTTPAdapter):
    """Instead of the internet: to a server on this host, which is told the name that was meant."""

    def __init__(self, wikimedia: Wikimedia) -> None:
        self._to = wikimedia
        super().__init__()

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        assert request.url
        _, _, host, path = request.url.split("/", 3)
        self._to.asked.append(host)
        meant, request.url = request.url, f"{self._to.server.url}/{path}"
        try:
            return super().send(request, *arguments, **options)
        finally:
            request.url = meant  # by which cookies are kept


@pytest.fixture
def wikimedia(practice: PracticeWiki) -> Iterator[Wikimedia]:
    farm = Wikimedia(practice)
    yield farm
    farm.server.close()


def on_the_farm(
    farm: FamilySite | DatabaseName, practice: PracticeWiki, wikimedia: Wikimedia
) -> PywikibotWiki:
    wiki = PywikibotWiki(replace(access_to(practice), api_url="", farm=farm), sleep=lambda _seconds: None)
    transport = wiki.transport
    assert isinstance(transport, PywikibotTransport)
    transport.session.mount("https://", Rerouted(wikimedia))
    return wiki


@pytest.mark.parametrize(
    ("farm", "hosts"),
    [
        (FamilySite("wikipedia", "de"), ["de.wikipedia.org"]),
        (FamilySite("commons", "commons"), ["commons.wikimedia.org"]),
        (DatabaseName("dewiki"), ["meta.wikimedia.org", "de.wikipedia.org"]),
        (DatabaseName("commonswiki"), ["meta.wikimedia.org", "commons.wikimedia.org"]),
    ],
)
def test_a_wiki_is_found_by_its_name(
    practice: PracticeWiki, wikimedia: Wikimedia, farm: FamilySite | DatabaseName, hosts: list[str]
) -> None:
    assert on_the_farm(farm, practice, wikimedia).perform(unconfirm(2)).effect is Effect.UNCONFIRMED
    assert list(dict.fromkeys(wikimedia.asked)) == hosts
    assert wikimedia.agents == {f"bounce-sidecar/{__version__} ({CONTACT})"}


@pytest.mark.parametrize(
    ("farm", "words"),
    [
        (FamilySite("wikipaedia", "de"), "check family"),
        (FamilySite("wikipedia", "xx"), "check family"),
        (DatabaseName("xxwiki"), "no database xxwiki"),
        (DatabaseName("plainwiki"), "no database plainwiki"),  # the password would be sent in the clear
    ],
)
def test_a_name_that_nobody_has_is_misconfigured(
    practice: PracticeWiki, wikimedia: Wikimedia, farm: FamilySite | DatabaseName, words: str
) -> None:
    with pytest.raises(WikiError, match=words) as caught:
        on_the_farm(farm, practice, wikimedia).perform(unconfirm(2))
    assert type(caught.value) is WikiMisconfigured


@pytest.mark.parametrize(
    "said", ["[]", "{}", '{"sitematrix": []}', "<html>", '{"error": {"code": "readonly"}}']
)
def test_a_sitematrix_that_says_something_else_is_asked_again_later(
    practice: PracticeWiki, wikimedia: Wikimedia, said: str
) -> None:
    wikimedia.server.answer = lambda _request: Reply(said)
    with pytest.raises(WikiUnavailable):
        on_the_farm(DatabaseName("dewiki"), practice, wikimedia).perform(unconfirm(2))


def test_a_sitematrix_that_is_away_is_asked_again_later(practice: PracticeWiki, wikimedia: Wikimedia) -> None:
    wiki = on_the_farm(DatabaseName("metawiki"), practice, wikimedia)
    wikimedia.server.close()
    with pytest.raises(WikiUnavailable):
        wiki.perform(unconfirm(2))


def test_it_takes_bot_passwords_alone(practice: PracticeWiki) -> None:
    with pytest.raises(TypeError, match="bot password"):
        PywikibotWiki(replace(access_to(practice), credentials=OAuth2("a.b.c")))
