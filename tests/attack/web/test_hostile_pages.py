"""What strangers say is text, in every page; and what looks for more than text finds it."""

import random

import pytest

from sidecar.domain.harmless import harmless
from tests.attack.web.pages import campaign, problems
from tests.attack.web.payloads import PAYLOADS, mail

PAGE = "<!DOCTYPE html><html><head><title>x</title></head><body><p>{}</p></body></html>"


@pytest.mark.slow
def test_whatever_is_shown_is_text() -> None:
    tally = campaign(seed=1, seconds=0.0)
    assert tally.wrongs == []
    assert tally.attacks["/aside/mail"] > 0


@pytest.mark.parametrize("payload", [one for one in PAYLOADS if "<" in one and "&lt;" not in one])
def test_a_careless_page_would_be_found(payload: str) -> None:
    assert problems(PAGE.format(payload)) != []


def test_a_careful_one_is_not() -> None:
    assert problems(PAGE.format("&lt;script&gt;")) == []
    assert problems(PAGE.format("\u202e")) == ["active: '\\u202e'"]


def test_a_mail_is_hostile_in_each_of_its_fields() -> None:
    raw = mail(random.Random(1))
    assert sum(word.encode(errors="surrogatepass")[:20] in raw for word in PAYLOADS) > 5
    assert harmless(PAYLOADS[0]) == PAYLOADS[0], "markup is no concern of harmless()"
