"""The extension's files: that PHP can read them, and that MediaWiki has words for all they bring.

Knows messages. Does not know what the extension does.
"""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.mediawiki import GROUP, MediaWiki
from tests.support.mediawiki_package import require_php
from tests.support.mediawiki_site import EXTENSION, HERE
from tests.support.mediawiki_told import KINDS

pytestmark = pytest.mark.servers

PHP_FILES = sorted([*EXTENSION.rglob("*.php"), *HERE.rglob("*.php")])
RIGHTS = ("emailbounce", "emailbounce-log")

#: What MediaWiki looks up for the names in extension.json.
EXPECTED = {
    "bouncesidecar-desc",
    "bouncesidecar-extensionname",
    "grant-emailbounce",
    f"group-{GROUP}",
    f"group-{GROUP}-member",
    f"grouppage-{GROUP}",
    "log-name-emailbounce",
    "log-description-emailbounce",
    *(f"logentry-emailbounce-{act}" for act in ("warn", "unconfirm", "restore", "mistyped")),
    *(f"emailbounce-{kind}-{part}" for kind in KINDS for part in ("heading", "text")),
    *(f"notification-{part}-emailbounce-{kind}" for kind in KINDS for part in ("header", "body")),
    *(f"notification-link-emailbounce-{what}" for what in ("change", "confirm")),
    "echo-category-title-emailbounce",
    *(f"{kind}-{right}" for kind in ("right", "action") for right in RIGHTS),
}


def messages(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((EXTENSION / f"i18n/{language}.json").read_text())
    return {key: text for key, text in texts.items() if not key.startswith("@")}


def test_what_users_see_is_in_german_too() -> None:
    german = messages("de")
    assert german.keys() >= EXPECTED - {"bouncesidecar-extensionname"}
    assert german.keys() <= messages("en").keys()
    parameters = {key: set(re.findall(r"\$\d", text)) for key, text in messages("en").items()}
    assert {key: set(re.findall(r"\$\d", text)) for key, text in german.items()} == {
        key: parameters[key] for key in german
    }


@pytest.mark.parametrize("file", PHP_FILES, ids=lambda file: file.name)
def test_php_can_read_it(file: Path) -> None:
    run = subprocess.run([require_php(), "-l", file], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_message_is_documented_for_translators() -> None:
    assert messages("qqq").keys() == messages("en").keys()
    assert messages("en").keys() >= EXPECTED
    assert all(messages("qqq").values())


def test_the_help_of_the_api_is_complete(mediawiki: MediaWiki) -> None:
    answer = mediawiki.visitor().get(action="help", modules="emailbounce", wrap=1)
    text = answer["help"]["help"]
    assert "un-confirm the email address of user 5" in text.lower()
    # What MediaWiki puts around the key of a message that it does not have.
    assert "⧼" not in text


def test_paraminfo_describes_the_module(mediawiki: MediaWiki) -> None:
    answer = mediawiki.visitor().get(action="paraminfo", modules="emailbounce")
    [module] = answer["paraminfo"]["modules"]
    assert (module["mustbeposted"], module["writerights"]) == (True, True)
    required = [one["name"] for one in module["parameters"] if one["required"]]
    assert required == ["op", "userid", "token"]


def test_special_log_shows_each_act_in_words(mediawiki: MediaWiki) -> None:
    user = mediawiki.add_user("Anna Logged", "anna@example.org", datetime(2026, 11, 1, tzinfo=UTC))
    bot, before = mediawiki.bot(), {"confirmedbefore": "2026-11-02T00:00:00Z"}

    def act(operation: str, **more: str) -> dict[str, Any]:
        answer = bot.act(action="emailbounce", op=operation, userid=user, **more)
        said: dict[str, Any] = answer["emailbounce"]
        return said

    act("warn", **before)
    taken = act("unconfirm", **before)
    act("restore", confirmed=taken["confirmed"], fingerprint=taken["fingerprint"])
    mediawiki.change_address(user, "anna@exampel.org")
    mediawiki.ask_for_confirmation(user, datetime(2026, 11, 3, tzinfo=UTC))
    act("mistyped", sent="2026-11-03T00:00:00Z")
    place, query = f"{mediawiki.url}/w/index.php", {"title": "Special:Log", "type": "emailbounce"}
    page = re.sub("<[^>]*>", "", mediawiki.admin().http.get(place, params=query, timeout=30).text)
    for words in (
        "that mail to their email address comes back",
        "which had been confirmed since 2026-11-01T00:00:00Z",
        "as of 2026-11-01T00:00:00Z",
        "that the mail of 2026-11-03T00:00:00Z, which asked to confirm their email address, came back",
    ):
        assert words in page
    assert "anna@" not in page
    assert "⧼" not in page
