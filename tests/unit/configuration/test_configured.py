"""The configuration: what is right becomes what the daemon is made from."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sidecar.configuration.configured import (
    Config,
    DigestConfig,
    HttpConfig,
    Listen,
    SummaryConfig,
    WikiConfig,
)
from sidecar.domain.access import Adapter, BotPassword, DatabaseName, FamilySite, OAuth1, OAuth2
from sidecar.domain.brake import Limits
from sidecar.domain.classify import Category
from sidecar.domain.policy import Mode, Policy, Streak, Window
from sidecar.domain.verp import BounceHandlerFormat, Forged, NotOurs
from sidecar.host import load_config
from tests.unit.configuration.configs import minimal

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SPECIFICATION = Policy(Streak(3, 7 * DAY, 60 * DAY), Mode.SHADOW)


def bot_of(wiki: WikiConfig) -> BotPassword:
    assert isinstance(wiki.credentials, BotPassword)
    return wiki.credentials


def test_defaults(folder: Path) -> None:
    config = load_config(folder / "minimal.toml")
    run = Path("/run/bounce-sidecar")
    assert config == Config(
        verp=config.verp,
        listen=Listen(
            run / "verp.sock", "", run / "lmtp.sock", run / "policy.sock", None, "", None, 10485760
        ),
        when_down="defer",
        wikis=(
            WikiConfig(
                "enwiki",
                "https://en.example.org/w/api.php",
                BotPassword("BounceBot@sidecar", "0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p"),
                login=config.wikis[0].login,
            ),
        ),
        policies={"enwiki": SPECIFICATION},
        brake=Limits(),
        storage_url="sqlite:////var/lib/bounce-sidecar/history.db",
        storage_password="",
        keep_mail=14 * DAY,
        keep_aside=60 * DAY,
        keep_bounces=timedelta(days=90),
        keep_audit=timedelta(days=365),
        rules_directory=Path("/etc/bounce-sidecar/rules.d"),
        digest=None,
        contact="",
        log_level="info",
        log_format="auto",
    )


def test_a_farm_with_everything_set(folder: Path) -> None:
    config = load_config(folder / "farm.toml")
    assert config.listen == Listen(
        Path("/run/bounces/verp.sock"),
        "www-data",
        Path("/var/spool/postfix/private/bounces.sock"),
        Path("/var/spool/postfix/bounces/policy.sock"),
        Path("/var/spool/postfix/bounces/socketmap.sock"),
        "postfix",
        ("::1", 2424),
        1048576,
        http=HttpConfig(
            ("::1", 8025),
            "dGhlLWRvb3Itb2YtdGhlLXdpa2k0",
            "http.token",
            ("192.0.2.0/24", "::1/128"),
            ("arn:aws:sns:eu-west-1:123456789012:bounces",),
        ),
    )
    assert [wiki.id for wiki in config.wikis] == ["enwiki", "zh-min-nanwiki", "wikidb-mw_"]
    assert [bot_of(wiki).password[:3] for wiki in config.wikis] == ["0a1", "q5p", "q5p"]
    assert config.wikis[1].api == "http://127.0.0.1:8080/w/api.php"
    assert config.storage_url == "sqlite:////srv/bounces/history.db"
    assert (config.keep_mail, config.contact) == (3 * DAY, "postmaster@example.org")
    assert (config.log_level, config.log_format) == ("debug", "json")
    assert config.when_down == "accept"


def test_wikis_that_share_account_and_password_are_known_to_and_no_password_is_told(folder: Path) -> None:
    path = folder / "farm.toml"
    first, second, third = (wiki.login for wiki in load_config(path).wikis)
    assert (second == third, first == second) == (True, False)
    text = path.read_text()
    path.write_text(text.replace("BounceBot@", "OtherBot@"))
    assert second not in {wiki.login for wiki in load_config(path).wikis}
    assert all(re.fullmatch("[0-9a-f]{16}", login) for login in (first, second))


def test_digest_metrics_and_rules_are_off_until_they_are_set(folder: Path) -> None:
    more = """
[rules]
directory = "/srv/rules"
[digest]
to = ["ops@example.org", "night@example.org"]
sender = "bounces@example.org"
smtp = "[::1]:2525"
hour = 0
[metrics]
listen = "192.0.2.7:9108"
[storage]
keep_aside_days = 7
"""
    config = minimal(folder, more)
    told = ("ops@example.org", "night@example.org")
    assert config.digest == DigestConfig(told, "bounces@example.org", ("::1", 2525), 0)
    assert config.listen.metrics == ("192.0.2.7", 9108)
    assert (config.rules_directory, config.keep_aside) == (Path("/srv/rules"), 7 * DAY)


def test_a_summary_is_off_until_somebody_is_told(folder: Path) -> None:
    assert minimal(folder).summary is None
    more = '[summary]\nto = ["boss@example.org"]\nsender = "b@example.org"\nweekday = "friday"\n'
    told = SummaryConfig(("boss@example.org",), "b@example.org", ("127.0.0.1", 25), 6, weekday=4)
    assert minimal(folder, more).summary == told


def test_a_wikis_own_policy_stands_over_the_common_one(folder: Path) -> None:
    assert load_config(folder / "farm.toml").policies == {
        "enwiki": Policy(Streak(4, 7 * DAY, 60 * DAY), Mode.ENFORCE),
        "zh-min-nanwiki": Policy(Streak(4, 10 * DAY, 30 * DAY), Mode.SHADOW),
        "wikidb-mw_": Policy(Window(4, 2.5 * DAY), Mode.ENFORCE),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SPECIFICATION),
        ("[policy]\n", SPECIFICATION),
        ('[policy]\npreset = "specification"', SPECIFICATION),
        ('[policy]\nmode = "enforce"', replace(SPECIFICATION, mode=Mode.ENFORCE)),
        ('[policy]\npreset = "bouncehandler"', Policy(Window(10, 7 * DAY), Mode.SHADOW)),
        ('[policy]\npreset = "wikimedia"', Policy(Window(5, 7 * DAY), Mode.SHADOW)),
        ('[policy]\npreset = "wikimedia"\nhard_bounces = 6', Policy(Window(6, 7 * DAY), Mode.SHADOW)),
        ("[policy]\nhard_bounces = 5", Policy(Streak(5, 7 * DAY, 60 * DAY), Mode.SHADOW)),
        ("[policy]\nspan_days = 0.5", Policy(Streak(3, 0.5 * DAY, 60 * DAY), Mode.SHADOW)),
        ('[wikis.policy]\npreset = "wikimedia"', Policy(Window(5, 7 * DAY), Mode.SHADOW)),
        ('[policy]\ncategories = ["moved"]', replace(SPECIFICATION, categories=frozenset({Category.MOVED}))),
        (
            '[policy]\ncategories = ["moved"]\n[wikis.policy]\ncategories = ["user-unknown"]',
            replace(SPECIFICATION, categories=frozenset({Category.USER_UNKNOWN})),
        ),
    ],
)
def test_presets_and_single_numbers(folder: Path, text: str, expected: Policy) -> None:
    assert minimal(folder, text).policies["enwiki"] == expected


WIKI = (
    '{"id": "frwiki", "api": "https://fr.example.org/api.php", "account": "B@s", '
    '"password_file": "enwiki.password"}'
)


@pytest.mark.parametrize(
    ("name", "value", "what", "expected"),
    [
        ("CONTACT", "https://example.org/bounces", "contact", "https://example.org/bounces"),
        ("STORAGE__KEEP_MAIL_DAYS", "2", "keep_mail", 2 * DAY),
        ("STORAGE__URL", "sqlite:////srv/x.db", "storage_url", "sqlite:////srv/x.db"),
        ("LOG__LEVEL", "error", "log_level", "error"),
        ("log__level", "error", "log_level", "error"),
        ("POLICY__MODE", "enforce", "policies", {"enwiki": replace(SPECIFICATION, mode=Mode.ENFORCE)}),
        ("WIKIS", f"[{WIKI}]", "policies", {"frwiki": SPECIFICATION}),
    ],
)
def test_the_environment_overrides_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, what: str, expected: Any
) -> None:
    monkeypatch.setenv(f"BOUNCE_SIDECAR_{name}", value)
    assert getattr(minimal(folder), what) == expected


def test_the_environment_changes_one_setting_and_leaves_its_neighbours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOUNCE_SIDECAR_VERP__DOMAIN", "returns.example.org")
    path = load_config(folder / "farm.toml").verp.issue("enwiki", 7, "bob@example.com", T0)
    assert path.startswith("w-enwiki-7-")
    assert path.endswith("@returns.example.org")


def test_without_bouncehandlers_section_its_return_paths_are_not_ours(folder: Path) -> None:
    theirs = load_config(folder / "bouncehandler.toml").verp.issue("enwiki", 7, "bob@example.com", T0)
    assert theirs.startswith("bh-enwiki-7-tosp40-")
    assert theirs.endswith("@mail.example.org")
    with pytest.raises(NotOurs):
        minimal(folder).verp.recognise(theirs, T0)


def test_a_move_from_bouncehandler_reads_the_return_paths_of_both(folder: Path) -> None:
    moving = load_config(folder / "bouncehandler.toml").verp
    theirs = moving.issue("enwiki", 7, "bob@example.com", T0)
    ours = minimal(folder).verp.issue("enwiki", 7, "bob@example.com", T0)
    assert [moving.recognise(path, T0).user_id for path in (theirs, ours)] == [7, 7]


def test_every_key_of_the_file_verifies_and_the_first_signs(folder: Path) -> None:
    both = minimal(folder)
    first, second = (folder / "verp.keys").read_text().splitlines()[1:]
    (folder / "verp.keys").write_text(second)
    one = minimal(folder)
    assert both.verp.recognise(one.verp.issue("enwiki", 7, "bob@example.com", T0), T0).user_id == 7
    with pytest.raises(Forged):
        one.verp.recognise(both.verp.issue("enwiki", 7, "bob@example.com", T0), T0)
    assert first != second


def test_systemds_credentials_stand_before_the_files_beside_the_configuration(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path_factory.mktemp("credentials")
    (folder / "enwiki.password").rename(credentials / "enwiki.password")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert bot_of(load_config(folder / "minimal.toml").wikis[0]).password.startswith("0a1b")


def test_every_way_to_a_wiki_and_every_kind_of_credentials(folder: Path) -> None:
    config = load_config(folder / "adapters.toml")
    bot = BotPassword("BounceBot@sidecar", "0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p")
    signs = BounceHandlerFormat(
        "wiki", "bounces.wiki.example.org", b"an-old-secret-of-the-wiki-7391", "sha256"
    )
    first, second, *others = config.wikis
    assert first.credentials == OAuth1(
        consumer_token="e498a2e8498b5e04bfc27dd660963e69",
        consumer_secret="19b2a7ff5d4c0055d6e4c6b0ff35c2a0b7fa75a6",
        access_token="e266e0e77105f9c284199b23518c5021",
        access_secret="7c66978153a402420081284bed65eb067efd0e61",
    )
    assert isinstance(second.credentials, OAuth2)
    assert second.credentials.access_token.endswith("_74")
    assert [replace(wiki, login="") for wiki in others] == [
        WikiConfig("cwiki", "https://c.example.org/w/api.php", bot, Adapter.PYWIKIBOT),
        WikiConfig("dwiki", "", bot, Adapter.PYWIKIBOT, FamilySite("wikipedia", "de")),
        WikiConfig("enwiki", "", bot, Adapter.PYWIKIBOT, DatabaseName("enwiki")),
        WikiConfig("fwiki", "https://f.example.org/w/api.php", signs, Adapter.BOUNCEHANDLER),
    ]
    assert [wiki.login == others[0].login for wiki in config.wikis] == [False, False, True, True, True, False]
    shown = repr(config.wikis)
    assert not [
        secret for secret in ("19b2", "7c66", "e266", "e498", "eyJ", "0a1b", "7391") if secret in shown
    ]


def test_gate_mode_signs_as_bouncehandler_does_and_asks_for_nothing_beyond_it(folder: Path) -> None:
    config = load_config(folder / "adapters.toml")
    gate, other = config.policies["fwiki"], config.policies["awiki"]
    assert gate == replace(other, announce=False, tell_mistyped=False, protected=frozenset())
    form = config.wikis[-1].credentials
    assert isinstance(form, BounceHandlerFormat)
    return_path = f"{form.local_part('fwiki', 5, '', T0, confirming=False)}@{form.domain}"
    assert config.verp.recognise(return_path, T0).key_id == "bouncehandler"
    assert load_config(folder / "adapters.toml").wikis == config.wikis  # a reload opens nothing anew
    (folder / "php.secret").write_text("another-secret-of-the-wiki-7392")
    assert load_config(folder / "adapters.toml").wikis[-1] != config.wikis[-1]  # and here it does
