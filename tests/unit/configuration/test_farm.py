"""[farm]: which wikis of a census are taken, which are left out, and the words for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.configuration.config import parse
from sidecar.domain.census import Census, Known, Unreadable
from sidecar.domain.policy import Mode
from tests.unit.configuration.farms import OWN, SECRETS, T0, TEXT, account_of, config, listed, notes, taken


def test_the_wikis_of_the_census_are_as_if_each_had_an_entry() -> None:
    found = config(
        listed("enwiki"), listed("dewiki", "https://de.example.org/"), more='[policy]\nmode = "enforce"'
    )
    assert [(wiki.id, wiki.api, account_of(wiki)) for wiki in found.wikis] == [
        ("enwiki", "https://enwiki.example.org/w/api.php", "BounceBot@sidecar"),
        ("dewiki", "https://de.example.org/w/api.php", "BounceBot@sidecar"),
    ]
    assert {policy.mode for policy in found.policies.values()} == {Mode.ENFORCE}
    assert found.verp.issue("dewiki", 7, "ann@remote.example", T0)
    assert len({wiki.login for wiki in found.wikis}) == 1
    assert notes(found) == ()


def test_all_wikis_of_a_farm_have_central_accounts_or_none_has_and_an_entry_says_so_for_itself() -> None:
    known = (listed("enwiki"), listed("dewiki"))
    assert config(*known).policies["dewiki"].central is False
    found = config(*known, more="central = true" + OWN)
    assert {wiki: policy.central for wiki, policy in found.policies.items()} == {
        "dewiki": True,
        "enwiki": False,
    }


def test_an_entry_of_its_own_stands_before_what_the_matrix_says() -> None:
    found = config(listed("enwiki"), listed("dewiki"), more=OWN)
    assert [(wiki.id, account_of(wiki)) for wiki in found.wikis] == [
        ("enwiki", "OtherBot@sidecar"),
        ("dewiki", "BounceBot@sidecar"),
    ]
    assert found.farm
    assert found.farm.wikis == {"dewiki"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["enwiki", "enwiktionary", "fishwiki", "metawiki"]),
        ('only = ["*wiktionary", "meta*"]', ["enwiktionary", "metawiki"]),
        ('without = ["en*"]', ["fishwiki", "metawiki"]),
        ('only = ["en*"]\nwithout = ["*wiktionary"]', ["enwiki"]),
        (
            "leave_out = []",
            ["enwiki", "enwiktionary", "fishwiki", "metawiki", "oldwiki", "officewiki", "labswiki"],
        ),
        (
            'leave_out = ["special", "closed"]',
            ["enwiki", "enwiktionary", "fishwiki", "officewiki", "labswiki"],
        ),
    ],
)
def test_patterns_and_kinds(more: str, expected: list[str]) -> None:
    census = (
        listed("enwiki"),
        listed("enwiktionary"),
        listed("fishwiki", "", "fishbowl"),
        listed("metawiki", "", "special"),
        listed("oldwiki", "", "closed"),
        listed("officewiki", "", "private"),
        listed("labswiki", "", "nonglobal"),
    )
    found = config(*census, more=more)
    assert (taken(found), notes(found)) == (expected, ())


def test_what_was_closed_a_short_time_ago_is_still_taken() -> None:
    closed = replace(listed("enwiki", "", "closed"), formerly=frozenset(), changed=T0)
    assert taken(config(closed, more='without = ["dewiki"]')) == ["enwiki"]
    still = replace(closed, formerly=frozenset({"private"}))
    assert taken(config(still)) == []


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (listed("en wiki"), "id: no wiki id"),
        # No id becomes a file's name, a line, a field or another wiki's.
        (listed("../../../etc/passwd"), "id: no wiki id"),
        (listed("..\\enwiki"), "id: no wiki id"),
        (listed("enwiki/"), "id: no wiki id"),
        (listed("enwiki\0"), "id: no wiki id"),
        (listed("enwiki\n"), "id: no wiki id"),
        (listed("enwiki\r\nBcc: eve"), "id: no wiki id"),
        (listed("\x1b[2Jenwiki"), "id: no wiki id"),
        (listed("\u0435nwiki"), "id: no wiki id"),
        (listed("enwi\u212ai"), "id: no wiki id"),
        (listed("enwiki\u202e"), "id: no wiki id"),
        (listed('enwiki"} 1'), "id: no wiki id"),
        (listed("enwiki@evil.example"), "id: no wiki id"),
        (listed("-enwiki"), "id: no wiki id"),
        (listed(""), "id: no wiki id"),
        (listed("w" * 300), "return paths would need"),
        (listed("a-" * 500_000), "return paths would need"),
        (listed("w" * 60), "return paths would need"),
        (listed("enwiki", "http://en.example.org"), "http: the password would be sent in the clear"),
        (listed("enwiki", "https://en.example.com"), "en.example.com is in none of [farm] domains"),
        (listed("enwiki", "https://evilexample.org"), "evilexample.org is in none of [farm] domains"),
        (listed("enwiki", "https://en.example.org@evil.example"), "api: no account in the URL"),
        (listed("enwiki", "https://bot:secret@en.example.org"), "api: no account in the URL"),
        (listed("enwiki", "https://[en.example.org"), "api: Input should be a valid URL"),
        (listed("enwiki", "javascript:alert(1)"), "api: URL scheme should be"),
        # Python finds one host in these, and what asks them another.
        (listed("enwiki", "https://evil.example\\@en.example.org"), "evil.example is in none"),
        (listed("enwiki", "https://evil.example\\.example.org"), "evil.example is in none"),
        (listed("enwiki", "//evil.example:443\\@en.example.org"), "evil.example is in none"),
        (listed("enwiki", "https:evil.example"), "evil.example is in none"),
        (listed("enwiki", ""), ""),
    ],
)
def test_what_cannot_be_used_is_left_out_and_told_and_the_others_are_taken(known: Known, why: str) -> None:
    found = config(known, listed("dewiki"))
    assert taken(found) == ([known.listed.id] if not why else []) + ["dewiki"]
    assert [why in note for note in notes(found)] == ([True] if why else [])


def test_a_url_without_a_scheme_has_that_of_the_matrix() -> None:
    [wiki] = config(listed("enwiki", "//en.example.org")).wikis
    assert wiki.api == "https://en.example.org/w/api.php"


@pytest.mark.parametrize(
    ("matrix", "good", "evil"),
    [
        ("meta.example.org", "en.example.org", "example.com"),
        ("meta.wikis.co.uk", "en.wikis.co.uk", "evil.co.uk"),
        ("wikis.co.uk", "en.wikis.co.uk", "evil.co.uk"),  # its parent is a registry's
        ("wikis.example", "en.wikis.example", "evil.example"),
        ("192.0.2.7", "192.0.2.7", "8.0.2.7"),
    ],
)
def test_the_parent_of_the_matrix_is_its_owners(matrix: str, good: str, evil: str) -> None:
    text = TEXT.replace("meta.example.org", matrix)
    census = Census(
        f"https://{matrix}/w/api.php", T0, (listed("a", f"https://{good}"), listed("b", f"https://{evil}"))
    )
    assert taken(parse(text, SECRETS.__getitem__, lambda _: census)) == ["a"]


def test_named_domains_and_no_others_get_the_password() -> None:
    more = 'domains = ["wikipedia.example", "Wiktionary.example"]'
    census = (
        listed("enwiki", "https://en.wikipedia.example"),
        listed("enwiktionary", "https://en.wiktionary.example"),
        listed("metawiki", "https://meta.example.org"),
    )
    assert taken(config(*census, more=more)) == ["enwiki", "enwiktionary"]


@pytest.mark.parametrize(
    ("census", "expected", "told"),
    [
        (["a-bwiki", "a.bwiki"], [], 2),
        (["Enwiki", "enwiki"], [], 2),
        (["EnWiki", "dewiki"], ["EnWiki", "dewiki"], 0),
    ],
)
def test_ids_that_read_alike_in_a_return_path_are_left_out(
    census: list[str], expected: list[str], told: int
) -> None:
    found = config(*map(listed, census))
    assert (taken(found), len(notes(found))) == (expected, told)


def test_of_ids_that_read_alike_an_own_entry_stays_and_so_does_the_one_that_was_there_before() -> None:
    found = config(listed("EnWiki"), more=OWN)
    assert (taken(found), notes(found)) == (["enwiki"], ("EnWiki: reads like another one in a return path",))
    before = replace(listed("enwiki"), since=T0 - timedelta(days=1))
    assert taken(config(listed("EnWiki"), before)) == ["enwiki"]


def test_a_census_that_cannot_be_read_is_told_and_the_daemon_starts_all_the_same() -> None:
    def lost(_: str) -> Census:
        raise Unreadable("/var/lib/x: Permission denied")

    found = parse(TEXT, SECRETS.__getitem__, lost)
    assert (found.wikis, notes(found)) == ((), ("/var/lib/x: Permission denied",))
    assert parse(TEXT, SECRETS.__getitem__).wikis == ()


@pytest.mark.slow
def test_a_thousand_wikis_that_read_alike_are_told_in_no_time() -> None:
    names = [f"{'w' if number % 2 else 'W'}iki{number // 2}" for number in range(2000)]
    found = config(*map(listed, names))
    assert (taken(found), len(notes(found))) == ([], 2000)
