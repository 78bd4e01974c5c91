"""Our configuration out of a LocalSettings.php: what is taken, what is left open; our own reader takes it."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.configuration.config import parse
from sidecar.configuration.configured import ConfigError
from sidecar.localsettings.counterparts import COUNTERPARTS
from sidecar.localsettings.making import Made, made_from
from sidecar.localsettings.php_file import read

WHOLE = """<?php
if ( !defined( 'MEDIAWIKI' ) ) {
    exit;
}
$wgServer = "https://wiki.example.org";
$wgScriptPath = "/w";
$wgEmergencyContact = "ops@example.org";
$wgPasswordSender = "wiki@example.org";
$wgDBname = "my_wiki";
$wgDBprefix = "mw_";
wfLoadExtension( 'BounceHandler' );
$wgVERPprefix = 'bounce';
$wgVERPdomainPart = "bounces.$wgDBname.example.org";
$wgVERPdomainPart = 'bounces.example.org'; // the later one wins
$wgVERPsecret = 'a secret of the wiki, 1234';
$wgVERPalgorithm = 'SHA256';
$wgVERPAcceptTime = 86400 * 14;
$wgBounceRecordLimit = 5;
$wgBounceRecordPeriod = 60 * 60 * 24 * 7;
$wgBounceRecordMaxAge = 60 * 60 * 24 * 30;
$wgBounceHandlerUnconfirmUsers = true;
$wgBounceHandlerInternalIPs = [ '10.0.0.0/8' ];
$wgUnrecognizedBounceNotify = array( 'ops@example.org', "other@example.org" );
"""


def made(source: str) -> Made:
    return made_from(read(source.encode()), "LocalSettings.php")


def without(*lines: str) -> str:
    return "\n".join(line for line in WHOLE.splitlines() if not any(one in line for one in lines))


def problems(found: Made) -> list[str]:
    def secret(name: str) -> bytes:
        return (
            (found.secret or b"") if name == "bouncehandler.secret" else b"0123456789abcdefghijklmnopqrstuv"
        )

    try:
        parse(found.toml, secret)
    except ConfigError as error:
        return error.problems
    return []


def test_all_that_the_file_says_is_taken_and_our_own_reader_takes_it() -> None:
    found = made(WHOLE)
    assert tomllib.loads(found.toml) == {
        "contact": "ops@example.org",
        "verp": {
            "domain": "bounces.example.org",
            "prefix": "bounce",
            "keys_file": "verp.keys",
            "accept_days": 14,
            "bouncehandler": {
                "secret_file": "bouncehandler.secret", "algorithm": "sha256", "prefix": "bounce",
            },
        },
        "policy": {"mode": "shadow", "preset": "bouncehandler", "hard_bounces": 5, "period_days": 7},
        "storage": {"keep_bounces_days": 30},
        "http": {"allow": ["127.0.0.1", "::1", "10.0.0.0/8"]},
        "digest": {"to": ["ops@example.org", "other@example.org"], "sender": "wiki@example.org"},
        "wikis": [
            {
                "id": "my_wiki-mw_",
                "api": "https://wiki.example.org/w/api.php",
                "account": "BounceBot@sidecar",
                "password_file": "bot.password",
            }
        ],
    }  # fmt: skip
    assert (problems(found), found.left_open) == ([], [])
    assert found.secret == b"a secret of the wiki, 1234"
    assert "a secret of the wiki" not in found.toml + repr(found)


def test_each_value_says_where_it_stands() -> None:
    toml = made(WHOLE).toml
    assert 'domain = "bounces.example.org"  # $wgVERPdomainPart, line 14\n' in toml
    assert "period_days = 7  # $wgBounceRecordPeriod, line 19\n" in toml


def test_of_nothing_but_the_wiki_its_own_defaults_are_taken() -> None:
    found = made(without("VERP", "Bounce") + "\n$wgVERPsecret = 'a secret of the wiki, 1234';")
    data = tomllib.loads(found.toml)
    assert data["verp"]["domain"] == "wiki.example.org"
    assert data["verp"]["bouncehandler"]["algorithm"] == "md5"
    assert data["policy"] == {
        "mode": "shadow", "preset": "bouncehandler", "hard_bounces": 10, "period_days": 7
    }  # fmt: skip
    assert "accept_days" not in data["verp"]
    assert "storage" not in data
    assert problems(found) == []


@pytest.mark.parametrize("secret", ["", "$wgVERPsecret = 'MediawikiVERP';", "$wgVERPsecret = null;"])
def test_its_public_secret_is_told_and_no_address_of_it_believed(secret: str) -> None:
    found = made(without("VERPsecret") + "\n" + secret)
    assert "bouncehandler" not in tomllib.loads(found.toml)["verp"]
    assert "public default: anybody can sign with it" in found.no_secret
    assert (found.secret, problems(found)) == (None, [])


def test_the_secret_may_stand_where_the_file_goes_on_and_then_it_is_not_called_public() -> None:
    found = made(without("VERPsecret") + '\nrequire "$IP/private.php";')
    assert found.secret is None
    assert "public" not in found.no_secret
    assert found.left_open == [
        "[verp.bouncehandler] secret_file: $wgVERPsecret is not set in this file, perhaps where it goes on"
    ]
    assert "# LOOK line 23 includes another file: it may set what is said here otherwise.\n" in found.toml


OPEN = {
    "$wgVERPdomainPart = getenv( 'D' );": "[verp] domain: $wgVERPdomainPart: set by a function (getenv)",
    "if ( $x ) { $wgVERPprefix = 'x'; }": "[verp] prefix: $wgVERPprefix: set under a condition",
    "$wgVERPsecret = SECRET;": "[verp.bouncehandler] secret_file: $wgVERPsecret: set by a constant (secret)",
    "$wgVERPsecret = ' blanks around it  ';": "[verp.bouncehandler] secret_file: $wgVERPsecret: empty, or bl",
    "$wgVERPalgorithm = f();": "[verp.bouncehandler] algorithm: $wgVERPalgorithm: set by a function",
    "$wgBounceRecordLimit = 'many';": "[policy] hard_bounces: $wgBounceRecordLimit: no whole number",
    "$wgBounceRecordPeriod = WEEK;": "[policy] period_days: $wgBounceRecordPeriod: set by a constant (week)",
    "$wgBounceRecordMaxAge = f();": "[storage] keep_bounces_days: $wgBounceRecordMaxAge: set by a function",
    "$wgBounceHandlerInternalIPs[] = f();": "[http] allow: $wgBounceHandlerInternalIPs: set by a function",
    "$wgUnrecognizedBounceNotify = f();": "[digest] to: $wgUnrecognizedBounceNotify: set by a function",
    "$wgPasswordSender = f();": "[digest] to: $wgPasswordSender: set by a function",
    "$wgDBname = getenv( 'X' );": "[[wikis]] id: $wgDBname: set by a function (getenv)",
    "$wgDBprefix = getenv( 'X' );": "[[wikis]] id: $wgDBprefix: set by a function (getenv)",
    "$wgServer = '//wiki.example.org';": "[[wikis]] api: $wgServer: neither http nor https",
    "$wgServer = f();": "[[wikis]] api: $wgServer: set by a function",
    "$wgScriptPath = f();": "[[wikis]] api: $wgScriptPath: set by a function",
    "$wgDBname = \"caf\\xe9\";": "[[wikis]] id: $wgDBname: not text",
}  # fmt: skip


@pytest.mark.parametrize("line", OPEN)
def test_what_the_file_does_not_say_is_left_open_with_the_line_and_why(line: str) -> None:
    found = made(f"{WHOLE}\n{line}")
    told = [one.replace(", line 25", "") for one in found.left_open]
    assert [one for one in told if one.startswith(OPEN[line])], found.left_open
    assert told != found.left_open, "with its line"
    assert "LOOK" in found.toml
    tomllib.loads(found.toml)


def test_a_server_name_that_is_not_known_is_no_reason_to_guess_a_domain() -> None:
    found = made(without("VERPdomainPart", "wgServer"))
    assert "[verp] domain: $wgServer is not set in this file" in found.left_open
    assert "domain" not in tomllib.loads(found.toml)["verp"]


_SAID = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=20),
    st.lists(st.text(max_size=9), max_size=3),
)


def php(value: Any) -> str:
    if isinstance(value, list):
        return f"[ {', '.join(map(php, value))} ]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if value not in (0, 1)
        else str(value)
    )


_NAMES = [*(one.name for one in COUNTERPARTS), "Server", "ScriptPath", "DBname", "DBprefix", "PasswordSender",
          "EmergencyContact", "ServerName", "CanonicalServer"]  # fmt: skip


@pytest.mark.slow
@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(_NAMES), _SAID))
def test_whatever_the_settings_are_it_is_toml(said: dict[str, Any]) -> None:
    lines = "".join(f"$wg{name} = {php(value)};\n" for name, value in said.items())
    found = made(f"<?php\n{lines}")
    tomllib.loads(found.toml)
    assert all("\n" not in line for line in found.lines)
