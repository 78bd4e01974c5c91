"""Mail to an address that is not confirmed, in a real MediaWiki: what the sidecar is asked for it.

Knows the special pages by which people change and confirm addresses. Does not know how a return path is
signed.
"""

import html
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.support.mediawiki import MediaWiki
from tests.support.mediawiki_visitor import PATIENCE, Visitor
from tests.support.return_path_peer import ReturnPathPeer, answers, netstring

pytestmark = pytest.mark.servers

USUAL = "wiki@wiki.example.org"
SIGNED = "wiki-enwiki-1-n5iuww-zeo4r2secityayyr@bounces.example.org"
CONFIRMED = datetime(2026, 11, 1, tzinfo=UTC)
OLD, NEW = "old.place@example.org", "new.place@example.org"


class Person:
    """Somebody who uses the wiki in a browser."""

    def __init__(self, wiki: MediaWiki, confirmed: datetime | None) -> None:
        self.name = f"Mover {secrets.token_hex(4)}"
        self.id = wiki.add_user(self.name, OLD, confirmed)
        self._wiki = wiki
        self._visitor = wiki.user(self.id)

    def changes_address(self, address: str) -> None:
        page = submitted(self._wiki, self._visitor, "ChangeEmail", NewEmail=address)
        assert self._wiki.mailbox(self.id).address == address, page

    def asks_for_confirmation(self) -> None:
        submitted(self._wiki, self._visitor, "Confirmemail")

    def follows(self, link: str) -> None:
        assert self._visitor.http.get(link, timeout=PATIENCE).ok


def submitted(wiki: MediaWiki, visitor: Visitor, page: str, **fields: str) -> str:
    """The page that comes after this special page's form was sent with these fields."""
    place, title = f"{wiki.url}/w/index.php", {"title": f"Special:{page}"}
    form = visitor.http.get(place, params=title, timeout=PATIENCE).text
    [token] = re.findall(r'<input[^>]* name="wpEditToken"[^>]*>', form)
    [value] = re.findall(r'value="([^"]*)"', token)
    filled = {f"wp{name}": text for name, text in fields.items()}
    data = {**title, "wpEditToken": html.unescape(value), **filled}
    return visitor.http.post(place, data=data, timeout=PATIENCE).text


@pytest.fixture
def peer(mediawiki: MediaWiki) -> Iterator[ReturnPathPeer]:
    with ReturnPathPeer(mediawiki.socket_path, answers(f"OK {SIGNED}")) as peer:
        yield peer


def question(wiki: MediaWiki, person: Person, lookup: str, address: str) -> bytes:
    return netstring(f"{lookup} {wiki.wiki_id} {person.id} {address}")


def test_a_change_of_address_writes_to_both_and_only_the_new_one_is_a_confirmation(
    mediawiki: MediaWiki, peer: ReturnPathPeer
) -> None:
    person = Person(mediawiki, CONFIRMED)
    person.changes_address(NEW)
    assert peer.questions == [
        question(mediawiki, person, "verp", OLD),
        question(mediawiki, person, "confirm", NEW),
    ]
    assert [mail.return_path for mail in mediawiki.outgoing()] == [SIGNED, SIGNED]


def test_the_first_address_of_all_is_asked_to_be_confirmed(
    mediawiki: MediaWiki, peer: ReturnPathPeer
) -> None:
    person = Person(mediawiki, None)
    person.changes_address(NEW)
    assert peer.questions == [question(mediawiki, person, "confirm", NEW)]


def test_a_confirmation_that_is_asked_for_again_is_one_too(
    mediawiki: MediaWiki, peer: ReturnPathPeer
) -> None:
    person = Person(mediawiki, None)
    person.asks_for_confirmation()
    assert peer.questions == [question(mediawiki, person, "confirm", OLD)]
    [mail] = mediawiki.outgoing()
    assert mail.return_path == SIGNED


def test_after_the_confirmation_mail_counts(mediawiki: MediaWiki, peer: ReturnPathPeer) -> None:
    person = Person(mediawiki, None)
    person.asks_for_confirmation()
    [mail] = mediawiki.outgoing()
    link = re.findall(r"http://\S+Special:ConfirmEmail/\w+", mail.raw.decode())[0]
    person.follows(link)
    assert mediawiki.mailbox(person.id).confirmed_at
    mediawiki.send_mail(person.id, "A subject", "A body of ten octets or more")
    assert peer.questions[1:] == [question(mediawiki, person, "verp", OLD)]


@pytest.mark.parametrize("case", ["an address of nobody's", "another case"])
def test_what_is_not_the_confirmed_address_to_the_letter_is_no_proof(
    mediawiki: MediaWiki, peer: ReturnPathPeer, case: str
) -> None:
    person = Person(mediawiki, CONFIRMED)
    address = NEW if case == "an address of nobody's" else OLD.upper()
    mediawiki.mail_to([(person.name, address)], "A subject", "A body of ten octets or more")
    assert peer.questions == [question(mediawiki, person, "confirm", address)]


def test_a_wiki_that_confirms_nothing_knows_no_confirmations(
    mediawiki: MediaWiki, peer: ReturnPathPeer
) -> None:
    mediawiki.set(wgEmailAuthentication=False)
    person = Person(mediawiki, None)
    mediawiki.send_mail(person.id, "A subject", "A body of ten octets or more")
    assert peer.questions == [question(mediawiki, person, "verp", OLD)]


def test_an_older_sidecar_costs_the_signature_and_not_the_mail(mediawiki: MediaWiki) -> None:
    person = Person(mediawiki, None)
    with ReturnPathPeer(mediawiki.socket_path, answers("PERM no such lookup")):
        person.asks_for_confirmation()
    [mail] = mediawiki.outgoing()
    assert mail.return_path == USUAL
    assert "answered PERM" in mediawiki.logged("BounceSidecar")


def test_the_bounce_of_a_real_confirmation_mail_is_told(mediawiki: MediaWiki) -> None:
    person = Person(mediawiki, CONFIRMED)
    person.changes_address(NEW)
    sent = datetime.now(UTC)
    answer = mediawiki.bot().act(
        action="emailbounce", op="mistyped", userid=person.id, sent=sent.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    assert answer["emailbounce"]["result"] == "warned"
    assert mediawiki.told(person.id) == ["mistyped"]
