"""[farm]: what may be written there, what a farm acts with, and the words for a mistake."""

from typing import Any

import pytest

from sidecar.configuration.config import parse
from sidecar.configuration.configured import ConfigError, SecretError
from sidecar.configuration.farm_settings import FarmSection
from sidecar.domain.access import OAuth2
from sidecar.domain.census import Census
from sidecar.domain.sitematrix import KINDS
from tests.unit.configuration.farms import SECRETS, T0, TEXT, listed


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("farm.password", "none.password", ["[farm] password_file = 'none.password': "]),
        (
            "/w/api.php",
            "/wiki/",
            ["[farm] sitematrix = 'https://meta.example.org/wiki/': want the URL of api.php"],
        ),
        (
            "account",
            "acount",
            ["[farm] account is missing", "[farm] acount is not a setting; did you mean account?"],
        ),
        ("[farm]\n", '[farm]\ncache = "x.json"\n', ["[farm] cache = 'x.json': want an absolute path"]),
        ("[farm]\n", '[farm]\napi_path = "w"\n', ["[farm] api_path = 'w': want the path of api.php"]),
        ("[farm]\n", '[farm]\nleave_out = ["open"]\n', ["[farm] leave_out = 'open': "]),
        ("[farm]\n", "[farm]\npolicy = {period_days = 3}\n", ["[farm] policy: period_days means nothing"]),
    ],
)
def test_mistakes_get_these_words(old: str, new: str, problems: list[str]) -> None:
    def secret(name: str) -> bytes:
        if name not in SECRETS:
            raise SecretError("No such file or directory")
        return SECRETS[name]

    with pytest.raises(ConfigError) as caught:
        parse(TEXT.replace(old, new), secret)
    found = sorted(caught.value.problems)
    assert len(found) == len(problems)
    assert all(one.startswith(words) for one, words in zip(found, sorted(problems), strict=True)), found


def test_neither_wikis_nor_a_farm_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"^\[\[wikis\]\] is missing$"):
        parse('[verp]\ndomain = "bounces.example.org"\n', SECRETS.__getitem__)


def test_every_kind_may_be_left_out() -> None:
    required: dict[str, Any] = {
        "account": "B@s",
        "password_file": "p",
        "sitematrix": "https://m.example/api.php",
    }
    assert FarmSection(**required, leave_out=list(KINDS)).leave_out == list(KINDS)


def test_a_farm_may_act_by_a_consumer_that_all_its_wikis_know() -> None:
    jwt = "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJjbGllbnQi.c2lnbmF0dXJlXzAxMjM0NTY3ODk"
    secrets = {**SECRETS, "client.token": jwt.encode()}
    text = TEXT.replace('account = "BounceBot@sidecar"\npassword_file = "farm.password"\n', "")
    text += 'oauth2_token_file = "client.token"\n'
    census = Census("https://meta.example.org/w/api.php", T0, (listed("enwiki"), listed("dewiki")))
    found = parse(text, secrets.__getitem__, lambda _: census)
    token = OAuth2(jwt)
    assert [wiki.credentials for wiki in found.wikis] == [token, token]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('oauth1_file = "consumer.oauth"\n', "[farm] has more than one kind of credentials: set "),
        ('adapter = "telepathy"\n', "[farm] adapter = 'telepathy': should be 'mwclient' or 'pywikibot'"),
    ],
)
def test_what_a_farm_acts_with_is_judged_as_an_entrys(more: str, problem: str) -> None:
    secrets = {**SECRETS, "consumer.oauth": b"consumer_token = a"}
    with pytest.raises(ConfigError) as error:
        parse(TEXT + more, secrets.__getitem__, lambda _: None)
    assert [line for line in error.value.problems if line.startswith(problem)]


def test_a_farm_without_anybody_to_act_as_is_told() -> None:
    text = TEXT.replace('account = "BounceBot@sidecar"\npassword_file = "farm.password"\n', "")
    with pytest.raises(ConfigError, match=r"\[farm\] has nobody to act as"):
        parse(text, SECRETS.__getitem__, lambda _: None)
