"""Wikis of a test: one that answers as told, with a client of it, and a practice wiki."""

from collections.abc import Iterator

import pytest

from tests.unit.wiki_adapter.practice_access import CONFIRMED
from tests.unit.wiki_adapter.scripted_wiki import Wiki, access_to
from wiki_adapter.mwclient_wiki import MwclientWiki
from wiki_adapter.practice_wiki import PracticeWiki


@pytest.fixture
def wiki() -> Iterator[Wiki]:
    wiki = Wiki()
    yield wiki
    wiki.server.close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(wiki: Wiki, slept: list[float]) -> MwclientWiki:
    return MwclientWiki(access_to(wiki), sleep=slept.append)


@pytest.fixture
def practice() -> Iterator[PracticeWiki]:
    with PracticeWiki() as wiki:
        wiki.add_user("Ann", "ann@a.example", CONFIRMED)
        yield wiki
