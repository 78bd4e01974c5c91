"""The practice wiki as a server: what the contract of wikis does not speak of."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests

from tests.support.waiting import until
from wiki_adapter.practice_farm import PracticeFarm
from wiki_adapter.practice_site import PATH
from wiki_adapter.practice_troubles import PAGES, REFUSALS
from wiki_adapter.practice_wiki import Mailbox, PracticeWiki, Trouble


def test_a_wiki_that_was_closed_can_be_opened_again_at_its_port() -> None:
    with PracticeWiki() as wiki:
        port = int(wiki.api_url.removesuffix(PATH).rpartition(":")[2])
        assert requests.get(wiki.api_url, timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(wiki.api_url, timeout=5)
    with PracticeWiki(port=port) as again:
        assert again.api_url == wiki.api_url
        assert requests.get(again.api_url, timeout=5).ok


def test_a_taken_port_is_said_to_be_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        PracticeWiki(port=taken.getsockname()[1])


def test_it_listens_on_this_host_only() -> None:
    with PracticeWiki() as wiki:
        assert wiki.api_url.startswith("http://127.0.0.1:")


def test_what_is_not_the_api_is_not_found() -> None:
    with PracticeWiki() as wiki:
        assert requests.get(wiki.api_url.replace(PATH, "/wiki/Main_Page"), timeout=5).status_code == 404


def test_a_client_that_hangs_up_disturbs_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    with PracticeWiki() as wiki:
        host, port = wiki.api_url.removeprefix("http://").removesuffix(PATH).split(":")
        for said in (b"", b"POST /w/api.php HTTP/1.0\r\nContent-Length: 99\r\n\r\n", b"\x16\x03\x01 no HTTP"):
            with socket.create_connection((host, int(port))) as client:
                client.sendall(said)
        assert requests.get(wiki.api_url, timeout=5).ok
    assert capfd.readouterr().err == ""


def test_users_have_ids_and_mailboxes() -> None:
    confirmed = datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=UTC)
    with PracticeWiki() as wiki:
        first, second = (
            wiki.add_user("Ann", "ann@a.example", None),
            wiki.add_user("Ben", "b@b.example", confirmed),
        )
        assert first != second
        assert wiki.mailbox(first) == Mailbox(first, "Ann", "ann@a.example", None)
        assert wiki.mailbox(second).confirmed_at == confirmed.replace(microsecond=0)
        assert wiki.log(second) == []
        with pytest.raises(KeyError):
            wiki.mailbox(99)


def test_every_trouble_is_acted_upon_somewhere() -> None:
    in_the_api = {
        Trouble.READ_ONLY,
        Trouble.LAGGED,
        Trouble.EXCEPTION,
        Trouble.SLOW,
        Trouble.HANGING,
        Trouble.NO_EXTENSION,
        Trouble.NO_OAUTH,
        Trouble.NO_CONFIRMING,
        Trouble.OLD_EXTENSION,
        Trouble.CLOCK_AHEAD,
        Trouble.PRIVATE,
    }
    assert in_the_api | set(PAGES) | set(REFUSALS) == set(Trouble)


def test_a_wiki_that_hangs_says_so_and_answers_when_it_is_over() -> None:
    with PracticeWiki() as wiki, ThreadPoolExecutor(1) as room:
        with wiki.suffering(Trouble.HANGING):
            asking = room.submit(requests.get, wiki.api_url, params={"action": "query"}, timeout=20)
            until(lambda: wiki.hanging, "a request that hangs")
            assert not asking.done()
        assert asking.result().status_code == 200
        assert wiki.hanging == 0


def test_a_farm_lists_its_wikis_as_sitematrix_does() -> None:
    with PracticeFarm(["enwiki", "aawiki", "metawiki"]) as farm:
        farm.flags["aawiki"] = {"closed"}
        farm.specials.add("metawiki")
        answer = requests.get(farm.matrix_url, params={"action": "sitematrix"}, timeout=5).json()[
            "sitematrix"
        ]
        assert answer["count"] == 3
        assert [(site["dbname"], site.get("closed")) for site in answer["0"]["site"]] == [
            ("enwiki", None),
            ("aawiki", True),
        ]
        [special] = answer["specials"]
        assert special["url"] + PATH == farm.api_url("metawiki")


def test_wikis_of_a_farm_have_users_and_logins_of_their_own() -> None:
    with PracticeFarm(["enwiki", "dewiki"]) as farm:
        user = farm.site("enwiki").add_user("Ann", "ann@a.example", None)
        with pytest.raises(KeyError):
            farm.site("dewiki").mailbox(user)
        with pytest.raises(KeyError):
            farm.site("frwiki")
        assert requests.get(farm.api_url("frwiki"), timeout=5).status_code == 404
        assert requests.get(farm.api_url("dewiki"), timeout=5).json()["error"]["code"] == "badvalue"
