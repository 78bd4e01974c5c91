"""Return paths: what we issue is recognised, however an MTA folds it, and nothing else is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain import verp
from sidecar.domain.keyring import Key
from sidecar.domain.verp import BounceHandlerFormat, Keyring, SidecarFormat, Verp

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32
DOMAIN = "bounces.example.org"
WIKIS = ("enwiki", "zh-min-nanwiki", "MixedWiki", "my_wiki-mw_")
ACCEPT = timedelta(days=10)


def book(*keys: bytes, wikis: tuple[str, ...] = WIKIS, prefix: str = "wiki") -> Verp:
    return Verp((SidecarFormat(prefix, DOMAIN, Keyring(keys or (OLD,))),), wikis, accept=ACCEPT)


def issue(wiki: str = "enwiki", user_id: int = 7, address: str = "bob@example.com", at: datetime = T0) -> str:
    return book().issue(wiki, user_id, address, at)


@pytest.mark.slow
@given(
    wiki=st.sampled_from(WIKIS),
    user_id=st.integers(1, 36**6 - 1),
    address=st.emails(),
    at=st.datetimes(datetime(2014, 1, 1), datetime(2038, 1, 1)),
)
def test_what_we_issue_is_recognised_in_any_case(wiki: str, user_id: int, address: str, at: datetime) -> None:
    at = at.replace(tzinfo=UTC, microsecond=0)
    path = issue(wiki, user_id, address, at)
    assert len(path.rpartition("@")[0]) <= verp.LOCAL_PART_LIMIT
    for spelling in (path, path.upper(), path.lower(), f"<{path}>"):
        token = book().recognise(spelling, at)
        assert (token.wiki, token.user_id, token.sent) == (wiki, user_id, at)


@pytest.mark.parametrize("theirs_first", [False, True])
@pytest.mark.parametrize("confirming", [False, True])
def test_who_signed_knows_what_the_return_path_says_without_verifying_it(
    theirs_first: bool, confirming: bool
) -> None:
    keys = (Key(OLD, retired=T0), Key(NEW, begins=T0))
    formats = [SidecarFormat("wiki", DOMAIN, Keyring(keys)), BounceHandlerFormat("wiki", DOMAIN, b"s" * 32)]
    for wiki in WIKIS:
        for at in (T0 - timedelta(days=1), T0 + timedelta(days=1)):
            both = Verp(tuple(formats[::-1] if theirs_first else formats), WIKIS, accept=ACCEPT)
            path = both.issue(wiki, 7, "bob@example.com", at, confirming=confirming)
            token = both.recognise(path, at)
            assert both.signature(path, at) == (token.tag, token.key_id)


def test_the_shape_is_bouncehandlers_so_that_its_mta_patterns_match() -> None:
    assert issue("zh-min-nanwiki", 36).startswith("wiki-zh.min.nanwiki-10-tosp40-")


def test_a_new_key_signs_and_the_old_one_still_verifies() -> None:
    before, after = book(OLD), book(NEW, OLD)
    old, new = (b.issue("enwiki", 7, "bob@example.com", T0) for b in (before, after))
    assert old != new
    assert after.recognise(old, T0).user_id == after.recognise(new, T0).user_id == 7
    with pytest.raises(verp.Forged):
        before.recognise(new, T0)
    assert after.recognise(old, T0).key_id != after.recognise(new, T0).key_id


def test_every_single_character_counts() -> None:
    path = issue()
    local, at, domain = path.partition("@")
    for i, character in enumerate(local):
        for other in "a7.":
            if other != character:
                with pytest.raises((verp.Forged, verp.NotOurs)):
                    book().recognise(local[:i] + other + local[i + 1 :] + at + domain, T0)


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("", verp.NotOurs),
        ("bob@example.com", verp.NotOurs),
        ("postmaster@" + DOMAIN, verp.NotOurs),
        ("wiki-enwiki@" + DOMAIN, verp.NotOurs),
        ("wiki-é-1-1-é@" + DOMAIN, verp.NotOurs),
        ("x" + issue(), verp.NotOurs),
        (issue().replace(DOMAIN, "example.net"), verp.NotOurs),
        (issue() + ".example.net", verp.NotOurs),
        ("wiki-" + "a" * 300 + "-1-1-a@" + DOMAIN, verp.NotOurs),
        ("wiki-enwiki-1_0-1-aaaa@" + DOMAIN, verp.NotOurs),
        (issue().replace("enwiki", "dewiki"), verp.Forged),
        ("wiki-enwiki-7-tosp40-" + "a" * 24 + "@" + DOMAIN, verp.Forged),
        ("wiki-enwiki-7-tosp40-" + "1" * 24 + "@" + DOMAIN, verp.Forged),
        ("wiki-enwiki-7-tosp40-" + "A" * 16 + "@" + DOMAIN, verp.Forged),
        ("wiki-enwiki-1-n5iuww-zeo4R2+SECiYA9YR@" + DOMAIN, verp.Forged),  # the public default secret
    ],
)
def test_what_is_foreign_or_forged_is_told_apart(address: str, error: type[verp.VerpError]) -> None:
    with pytest.raises(error):
        book().recognise(address, T0)


def test_a_return_path_is_accepted_for_its_days_and_no_longer() -> None:
    path = issue()
    assert book().recognise(path, T0 + ACCEPT).user_id == 7
    with pytest.raises(verp.Expired):
        book().recognise(path, T0 + ACCEPT + timedelta(seconds=1))


def test_a_wiki_that_was_removed_is_named() -> None:
    with pytest.raises(verp.UnknownWiki, match="enwiki"):
        book(wikis=("dewiki",)).recognise(issue(), T0)
    with pytest.raises(verp.UnknownWiki, match="nowiki"):
        book().issue("nowiki", 7, "bob@example.com", T0)


def test_too_long_is_refused_and_not_cut() -> None:
    wiki = "w" * 21
    assert verp.longest_local_part("wiki", wiki) == 65
    with pytest.raises(verp.TooLong):
        book(wikis=(wiki,)).issue(wiki, 36**5, "bob@example.com", T0)


def test_the_longest_local_part_is_what_the_longest_user_id_needs() -> None:
    wiki = "zh_min_nanwiktionary"  # 20 characters, among the longest of Wikimedia's
    path = book(wikis=(wiki,)).issue(wiki, 36**6 - 1, "bob@example.com", T0)
    assert len(path.partition("@")[0]) == verp.longest_local_part("wiki", wiki) == 64


@pytest.mark.parametrize(
    ("address", "about"),
    [("bob@example.com", True), ("<BOB@Example.COM>", True), ("bob@example.net", False), ("", False)],
)
def test_the_tag_tells_whether_a_report_is_about_the_address_written_to(address: str, about: bool) -> None:
    assert book().is_about(book().recognise(issue(), T0), address) is about


def test_the_tag_is_checked_with_the_key_that_signed() -> None:
    old = book(OLD).issue("enwiki", 7, "bob@example.com", T0)
    rotated = book(NEW, OLD)
    assert rotated.is_about(rotated.recognise(old, T0), "bob@example.com") is True


@pytest.mark.parametrize("key", [OLD, NEW])
def test_a_confirmation_is_signed_otherwise_and_looks_the_same(key: bytes) -> None:
    plain, asking = (
        book(key).issue("enwiki", 7, "bob@example.com", T0, confirming=confirming)
        for confirming in (False, True)
    )
    assert len(plain) == len(asking)
    assert plain != asking
    assert plain.rpartition("-")[0] == asking.rpartition("-")[0]
    for path, confirming in ((plain, False), (asking, True), (asking.upper(), True)):
        token = book(NEW, OLD).recognise(path, T0)
        assert (token.wiki, token.user_id, token.sent, token.confirming) == ("enwiki", 7, T0, confirming)
        assert book(NEW, OLD).is_about(token, "bob@example.com")
    assert book(NEW, OLD).recognise(plain, T0).tag == book(NEW, OLD).recognise(asking, T0).tag


def test_bouncehandlers_format_cannot_say_that_a_mail_asks_for_a_confirmation() -> None:
    theirs = Verp((BounceHandlerFormat("wiki", DOMAIN, b"s" * 16),), WIKIS, accept=ACCEPT)
    path = theirs.issue("enwiki", 7, "bob@example.com", T0, confirming=True)
    assert path == theirs.issue("enwiki", 7, "bob@example.com", T0)
    assert not theirs.recognise(path, T0).confirming


def test_secrets_do_not_show() -> None:
    assert "oooo" not in repr(SidecarFormat("wiki", DOMAIN, Keyring((OLD,))))
    assert "oooo" not in repr(BounceHandlerFormat("wiki", DOMAIN, OLD))


# Made by BounceHandler's own PHP: algorithm, secret, prefix, wiki, user id, unix time, address.
BOUNCEHANDLER = [
    ("md5", "MediawikiVERP", "wiki", "enwiki", 1, 1400000000,
     "wiki-enwiki-1-n5iuww-zeo4R2+SECiYA9YR@bounces.example.org"),
    ("sha256", "s3cr3t key/with:chars", "wiki", "testwiki", 12345, 1795172479,
     "wiki-testwiki-9ix-tosry7-lJbEuStX2vPc7XXp@bounces.wiki.example.org"),
    ("sha512", "0123456789abcdef0123456789abcdef", "bounce", "my_wiki-mw_", 987654321, 1700000001,
     "bounce-my_wiki.mw_-gc0uy9-s44we9-1Eyem50hekCCk9ZW@b.example.net"),
    ("md5", "MediawikiVERP", "wiki", "zh-min-nanwiki", 36, 1600000000,
     "wiki-zh.min.nanwiki-10-qgljwg-FkCfOEZbHzKGtToX@lists.example.org"),
    ("sha256", "ünïcode-sécret", "vp", "dewiki-pfx", 2147483647, 2000000000,
     "vp-dewiki.pfx-zik0zj-x2qxvk-5N4dzWSI8UDWhTN8@example.com"),
    ("sha1", "k", "wiki", "farm-a-x-y_", 1679616, 1234567890,
     "wiki-farm.a.x.y_-10000-kf12oi-j9dR/pfkF9nkpwjt@example.com"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("algorithm", "secret", "prefix", "wiki", "user_id", "unix", "address"), BOUNCEHANDLER
)
def test_bouncehandlers_addresses_are_issued_and_recognised_to_the_letter(
    algorithm: str, secret: str, prefix: str, wiki: str, user_id: int, unix: int, address: str
) -> None:
    form = BounceHandlerFormat(prefix, address.partition("@")[2], secret.encode(), algorithm)
    both = Verp(
        (form, SidecarFormat(prefix, form.domain, Keyring((OLD,)))), (wiki, "otherwiki"), accept=ACCEPT
    )
    sent = datetime.fromtimestamp(unix, UTC)
    assert both.issue(wiki, user_id, "bob@example.com", sent) == address
    for spelling in (address, address.lower(), address.upper()):
        token = both.recognise(spelling, sent)
        assert (token.wiki, token.user_id, token.sent, token.tag) == (wiki, user_id, sent, "")
        assert both.is_about(token, "bob@example.com") is None
    with pytest.raises(verp.Forged):
        both.recognise(address.replace(prefix + "-", prefix + "-x", 1), sent)


def test_both_formats_of_one_wiki_are_recognised_side_by_side() -> None:
    ours, theirs = (
        SidecarFormat("wiki", DOMAIN, Keyring((OLD,))),
        BounceHandlerFormat("wiki", DOMAIN, b"s" * 16),
    )
    for formats in ((ours, theirs), (theirs, ours)):
        both = Verp(formats, ("MixedWiki",), accept=ACCEPT)
        path = both.issue("MixedWiki", 7, "bob@example.com", T0)
        for other in (Verp((ours, theirs), ("MixedWiki",), accept=ACCEPT), both):
            assert other.recognise(path.lower(), T0).wiki == "MixedWiki"
