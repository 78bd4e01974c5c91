"""What a real MediaWiki tells its users of mail that came back: where, in which words, and never by mail.

Knows Echo's notifications and talk pages. Does not know the sidecar.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.bench import Mailbox
from tests.support.mediawiki import MediaWiki

pytestmark = pytest.mark.servers

#: The release whose package brings Echo.
with_echo = pytest.mark.parametrize("mediawiki_of_the_session", ["1.43"], indirect=True)

CONFIRMED = datetime(2026, 11, 1, 12, tzinfo=UTC)
ADDRESS = "ann.told@example.org"
LATER = "2026-11-02T00:00:00Z"


@pytest.fixture
def without_echo(mediawiki: MediaWiki) -> MediaWiki:
    mediawiki.set(benchEcho=False)
    return mediawiki


def a_user(wiki: MediaWiki) -> int:
    return wiki.add_user(f"Told {secrets.token_hex(4)}", ADDRESS, CONFIRMED)


def act(wiki: MediaWiki, operation: str, user: int, **more: object) -> str:
    """The result of the bot's request, or the code of its error."""
    answer = wiki.bot().act(
        action="emailbounce", op=operation, userid=user, confirmedbefore=LATER, reason="gone", **more
    )
    said: str = answer["emailbounce"]["result"] if "emailbounce" in answer else answer["error"]["code"]
    return said


def notifications(wiki: MediaWiki, user: int) -> dict[str, dict[str, Any]]:
    """What Echo shows this user, by its kind, in its parts."""
    assert wiki.told(user)  # waits until Echo has made them
    answer = wiki.user(user).get(action="query", meta="notifications", notformat="model", notprop="list")
    found = answer["query"]["notifications"]["list"]
    shown = {one["type"]: one["*"] for one in found}
    return {kind: shown[f"emailbounce-{kind}"] for kind in wiki.told(user)}


# By Echo


@with_echo
def test_echo_shows_a_notice_in_the_users_language_with_links(mediawiki: MediaWiki) -> None:
    user = a_user(mediawiki)
    mediawiki.set_preference(user, "language", "de")
    assert act(mediawiki, "warn", user) == "warned"
    assert act(mediawiki, "unconfirm", user, announce=1) == "unconfirmed"
    shown = notifications(mediawiki, user)
    warned, unconfirmed = shown["warn"], shown["unconfirm"]
    assert warned["header"] == "E-Mails an deine Adresse kommen zurück."
    assert "gilt die Adresse nicht mehr als bestätigt" in warned["body"]
    assert "Special:ChangeEmail" in warned["links"]["primary"]["url"]
    assert warned["links"]["secondary"] == []
    assert unconfirmed["header"].startswith("Deine E-Mail-Adresse ist nicht mehr bestätigt")
    [confirm] = unconfirmed["links"]["secondary"]
    assert confirm["label"] == "E-Mail-Adresse bestätigen"
    assert confirm["url"].endswith("Special:Confirmemail")
    assert mediawiki.talk_page(user) == ""


@with_echo
@pytest.mark.parametrize(
    ("special", "words"),
    [
        ("Notifications", "Mail to your email address comes back."),
        ("DisplayNotificationsConfiguration", "Undeliverable mail"),
    ],
)
def test_echos_pages_have_words_for_our_notices(mediawiki: MediaWiki, special: str, words: str) -> None:
    user = a_user(mediawiki)
    act(mediawiki, "warn", user)
    assert notifications(mediawiki, user).keys() == {"warn"}
    place, query = f"{mediawiki.url}/w/index.php", {"title": f"Special:{special}"}
    page = mediawiki.user(user).http.get(place, params=query, timeout=30).text
    assert words in page
    assert "⧼" not in page


@with_echo
def test_echo_never_writes_mail_about_mail_that_does_not_arrive(mediawiki: MediaWiki) -> None:
    user = a_user(mediawiki)
    for category in ("emailbounce", "system"):
        mediawiki.set_preference(user, f"echo-subscriptions-email-{category}", 1)
    act(mediawiki, "warn", user)
    mediawiki.run_jobs()
    assert mediawiki.told(user) == ["warn"]
    assert mediawiki.outgoing() == []


@with_echo
def test_whom_echo_does_not_notify_is_told_on_the_talk_page(mediawiki: MediaWiki) -> None:
    mediawiki.configure(
        "$wgHooks['EchoGetNotificationTypes'][] = static function ( $u, $e, &$types ) { $types = []; };"
    )
    user = a_user(mediawiki)
    assert act(mediawiki, "warn", user) == "warned"
    assert mediawiki.talk_page(user).startswith("== Mail to your email address comes back ==")


# On the talk page


def test_the_talk_page_gets_a_section_in_the_users_language(without_echo: MediaWiki) -> None:
    user = a_user(without_echo)
    without_echo.set_preference(user, "language", "de")
    assert act(without_echo, "warn", user) == "warned"
    assert act(without_echo, "unconfirm", user, announce=1) == "unconfirmed"
    assert without_echo.told(user) == ["warn", "unconfirm"]
    text = without_echo.talk_page(user)
    assert text.startswith("== E-Mails an deine Adresse kommen zurück ==\n\nHallo Told ")
    assert text.count("[[Special:ChangeEmail|") == 2
    assert text.count("[[User:BounceBot|BounceBot]]") == 2
    assert ADDRESS not in text


def test_what_stands_on_the_talk_page_stays(without_echo: MediaWiki) -> None:
    user = a_user(without_echo)
    without_echo.edit_talk_page(user, "== Hello ==\n\nWelcome to the wiki.")
    act(without_echo, "warn", user)
    text = without_echo.talk_page(user)
    assert text.startswith("== Hello ==\n\nWelcome to the wiki.\n\n== Mail to your email address comes back")


def test_the_words_can_be_changed_on_the_wiki(without_echo: MediaWiki) -> None:
    user = a_user(without_echo)
    words = "Dear $1, call the office: 1234."
    without_echo.admin().act(action="edit", title="MediaWiki:Emailbounce-warn-text", text=words)
    act(without_echo, "warn", user)
    assert ", call the office: 1234. [[User:BounceBot" in without_echo.talk_page(user)
    without_echo.admin().act(action="delete", title="MediaWiki:Emailbounce-warn-text")


def test_nobody_gets_mail_about_the_section(without_echo: MediaWiki) -> None:
    without_echo.set(wgEnotifUserTalk=True)
    edited, warned = a_user(without_echo), a_user(without_echo)
    for user in (edited, warned):
        without_echo.set_preference(user, "enotifusertalkpages", 1)
    without_echo.edit_talk_page(edited, "Welcome to the wiki.")
    act(without_echo, "warn", warned)
    without_echo.run_jobs()
    [mail] = without_echo.outgoing()  # about the other edit: the wiki does write such mail
    assert without_echo.name(edited).encode() in mail.raw
    assert without_echo.told(warned) == ["warn"]


def test_a_talk_page_of_another_kind_is_left_alone(without_echo: MediaWiki) -> None:
    user = a_user(without_echo)
    without_echo.make_talk_page(user, "javascript")
    before = without_echo.talk_page(user)
    assert act(without_echo, "warn", user) == "cannottell"
    assert without_echo.log(user) == []
    assert act(without_echo, "unconfirm", user, announce=1) == "unconfirmed"
    assert without_echo.mailbox(user) == Mailbox(ADDRESS, None)
    assert without_echo.talk_page(user) == before
    assert "was not told on the wiki: unconfirm" in without_echo.logged("BounceSidecar")


# Trouble

NOBODY_CAN_BE_TOLD = """
foreach ( [ 'BeforeEchoEventInsert', 'MultiContentSave' ] as $hook ) {
    $wgHooks[$hook][] = static function () {
        throw new RuntimeException( 'No notices today' );
    };
}"""

FAILS_IN_THE_END = """
$wgHooks['APIAfterExecute'][] = static function ( $module ) {
    if ( $module->getModuleName() === 'emailbounce' ) {
        throw new RuntimeException( 'The disk is full' );
    }
};"""


def test_who_cannot_be_told_is_un_confirmed_all_the_same(mediawiki: MediaWiki) -> None:
    mediawiki.configure(NOBODY_CAN_BE_TOLD)
    user = a_user(mediawiki)
    assert act(mediawiki, "unconfirm", user, announce=1) == "unconfirmed"
    assert mediawiki.mailbox(user) == Mailbox(ADDRESS, None)
    assert mediawiki.log(user) == ["gone"]
    assert mediawiki.told(user) == []
    assert "was not told on the wiki: unconfirm" in mediawiki.logged("BounceSidecar")
    assert ADDRESS not in mediawiki.logged("BounceSidecar")


def test_a_warning_that_failed_was_none_and_comes_the_next_time(mediawiki: MediaWiki) -> None:
    user = a_user(mediawiki)
    mediawiki.configure(NOBODY_CAN_BE_TOLD)
    assert act(mediawiki, "warn", user) == "internal_api_error_RuntimeException"
    assert (mediawiki.told(user), mediawiki.log(user)) == ([], [])
    mediawiki.configure("")
    assert act(mediawiki, "warn", user) == "warned"
    assert (mediawiki.told(user), mediawiki.log(user)) == (["warn"], ["gone"])


@pytest.mark.parametrize("operation", ["warn", "unconfirm"])
@pytest.mark.parametrize("echo", [True, False])
def test_what_is_rolled_back_has_told_nobody(mediawiki: MediaWiki, operation: str, echo: bool) -> None:
    mediawiki.set(benchEcho=echo and mediawiki.has_echo)
    mediawiki.configure(FAILS_IN_THE_END)
    user = a_user(mediawiki)
    assert act(mediawiki, operation, user, announce=1) == "internal_api_error_RuntimeException"
    assert mediawiki.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)
    assert (mediawiki.told(user), mediawiki.log(user)) == ([], [])
