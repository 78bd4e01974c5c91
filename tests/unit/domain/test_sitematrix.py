"""The answer of SiteMatrix, and what is none."""

import pytest

from sidecar.domain.sitematrix import Listed, NotAMatrix, read

#: As Wikimedia's, with formatversion=2, cut short.
ANSWER = {
    "sitematrix": {
        "count": 5,
        "0": {
            "site": [
                {"url": "https://aa.wikipedia.org", "dbname": "aawiki", "closed": True},
                {"url": "https://aa.wiktionary.org", "dbname": "aawiktionary"},
            ]
        },
        "1": {"site": []},
        "2": {"site": [{"url": "https://be-tarask.wikipedia.org", "dbname": "be_x_oldwiki"}]},
        "specials": [
            {
                "url": "https://office.wikimedia.org",
                "dbname": "officewiki",
                "private": True,
                "nonglobal": True,
            },
            {"url": "https://meta.wikimedia.org", "dbname": "metawiki"},
        ],
    }
}


def test_languages_and_specials_with_their_flags() -> None:
    assert read(ANSWER) == [
        Listed("aawiki", "https://aa.wikipedia.org", frozenset({"closed"})),
        Listed("aawiktionary", "https://aa.wiktionary.org"),
        Listed("be_x_oldwiki", "https://be-tarask.wikipedia.org"),
        Listed("officewiki", "https://office.wikimedia.org", frozenset({"private", "nonglobal", "special"})),
        Listed("metawiki", "https://meta.wikimedia.org", frozenset({"special"})),
    ]


def test_formatversion_1_says_true_with_an_empty_string() -> None:
    site = {"url": "https://aa.example.org", "dbname": "aawiki", "closed": "", "private": False}
    assert read({"sitematrix": {"0": {"site": [site]}}})[0].kinds == {"closed"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([], "not of MediaWiki's API"),
        ("text", "not of MediaWiki's API"),
        ({"error": {"code": "badvalue", "info": "Unrecognized value"}}, "answers badvalue: Unrecognized"),
        ({"query": {}}, "no sitematrix"),
        ({"sitematrix": []}, "no sitematrix"),
        ({**ANSWER, "query-continue": {"sitematrix": {}}}, "only a part"),
        ({"sitematrix": {"count": 0, "specials": []}}, "no wiki in it"),
        (
            {"sitematrix": {"0": {"site": [{"dbname": 7, "url": "x"}, {"dbname": "w"}, 3]}, "specials": 1}},
            "no wiki",
        ),
    ],
)
def test_what_is_no_matrix_is_told(answer: object, words: str) -> None:
    with pytest.raises(NotAMatrix, match=words):
        read(answer)
