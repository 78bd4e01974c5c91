"""The table of answers: the wiki's codes, each with the words that an operator reads."""

from collections.abc import Mapping

import pytest

from sidecar.domain.wiki import (
    LoginRefused,
    LoginThrottled,
    WikiError,
    WikiMisconfigured,
    WikiRefused,
    WikiUnavailable,
)
from tests.support.leaks import secret
from wiki_adapter import answers
from wiki_adapter.answers import error_in, from_code, from_login
from wiki_adapter.codes import GATE_CODES, OAUTH_CODES, Answer, LoggedOut, Passing

#: MediaWiki's codes as the real one used them, and a word of the remedy.
CODES = [
    ("nosuchuser", WikiRefused, ""),
    ("baduser", WikiRefused, ""),
    ("permissiondenied", WikiMisconfigured, "grants"),
    ("readapidenied", WikiMisconfigured, "basic"),
    ("badvalue", WikiMisconfigured, "install the BounceSidecar extension"),
    ("blocked", WikiMisconfigured, "unblock"),
    ("emailauthenticationdisabled", WikiMisconfigured, "$wgEmailAuthentication"),
    ("badtoken", LoggedOut, ""),
    ("assertuserfailed", LoggedOut, ""),
    ("assertnameduserfailed", LoggedOut, ""),
    ("readonly", Passing, ""),
    ("maxlag", WikiUnavailable, ""),
    ("ratelimited", WikiUnavailable, ""),
    ("internal_api_error_RuntimeException", WikiUnavailable, "exception log"),
    ("internal_api_error_DBQueryError", Passing, ""),
    ("a-code-of-next-year", WikiUnavailable, ""),
]


#: OAuth's, as the real extension used them or as they stand in its source, and a word of the remedy.
AUTHORISATIONS = [
    ("mwoauth-invalid-authorization", WikiMisconfigured, "Special:OAuthConsumerRegistration"),
    ("mwoauth-invalid-authorization", WikiMisconfigured, "this host's clock"),
    ("mwoauth-invalid-authorization-wrong-wiki", WikiMisconfigured, "another wiki"),
    ("mwoauth-invalid-authorization-wrong-user", WikiMisconfigured, "revoked"),
    ("mwoauth-invalid-authorization-invalid-user", WikiMisconfigured, "revoked"),
    ("mwoauth-invalid-authorization-not-approved", WikiMisconfigured, "revoked"),
    ("mwoauth-invalid-authorization-blocked-user", WikiMisconfigured, "unblock"),
    ("mwoauth-api-module-disabled", WikiMisconfigured, "$wgMWOauthDisabledApiModules"),
    ("mwoauth-not-api", WikiMisconfigured, "api.php"),
    ("assertuserfailed", WikiMisconfigured, "Authorization header"),
    ("permissiondenied", WikiMisconfigured, "OAuth consumer"),
    ("badtoken", LoggedOut, ""),
]


#: BounceHandler's own, and those that mean something else where it is asked.
GATE = [
    ("invalid-ip", WikiMisconfigured, "$wgBounceHandlerInternalIPs"),
    ("badvalue", WikiMisconfigured, "install the extension BounceHandler"),
    ("missingparam", WikiMisconfigured, "install the extension BounceHandler"),
    ("readapidenied", WikiMisconfigured, "without a login"),
    ("writeapidenied", WikiMisconfigured, "without a login"),
    ("readonly", Passing, ""),
]
LOGINS = [
    ("botpasswords-disabled", WikiMisconfigured, "$wgEnableBotPasswords"),
    ("wrongpassword", LoginRefused, "Special:BotPasswords"),
    ("nosuchuser", LoginRefused, "check account"),
    ("botpasswords-restriction-failed", LoginRefused, "this host's address"),
    ("login-throttled", LoginThrottled, "too many wrong passwords"),
    ("sessionfailure", WikiUnavailable, "$wgSessionCacheType"),
    ("readonly", Passing, ""),
    ("a-code-of-next-year", WikiUnavailable, ""),
]
SECRET = secret("v" * 32)


@pytest.mark.parametrize(("code", "kind", "remedy"), CODES)
def test_a_code_has_its_meaning_and_its_remedy(code: str, kind: type[WikiError], remedy: str) -> None:
    error = from_code(code, "In the wiki's words.")
    assert type(error) is kind
    assert str(error).startswith(f"{code}: In the wiki's words.")
    assert remedy in str(error)


@pytest.mark.parametrize(
    ("codes", "code", "kind", "remedy"),
    [(OAUTH_CODES, *row) for row in AUTHORISATIONS] + [(GATE_CODES, *row) for row in GATE],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_code_may_mean_something_else_to_whom_it_is_said(
    codes: Mapping[str, Answer], code: str, kind: type[WikiError], remedy: str
) -> None:
    error = from_code(code, "In the wiki's words.", codes)
    assert type(error) is kind
    assert remedy in str(error)


@pytest.mark.parametrize(("code", "kind", "remedy"), LOGINS)
def test_a_login_has_codes_of_its_own(code: str, kind: type[WikiError], remedy: str) -> None:
    error = from_login({"result": "Failed", "reason": {"code": code, "key": code, "params": []}})
    assert type(error) is kind
    assert str(error).startswith(f"login: {code}")
    assert remedy in str(error)


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({"result": "WrongToken"}, WikiUnavailable),
        ({"result": "NeedToken", "token": SECRET}, WikiUnavailable),
        ({"result": "Aborted", "reason": {"code": "api-login-fail-aborted"}}, LoginRefused),
        ({"result": "Failed", "reason": f"words in place of a code, {SECRET}"}, WikiUnavailable),
        ({}, WikiUnavailable),
    ],
)
def test_a_login_without_a_reason_is_read_by_its_result(
    result: dict[str, object], kind: type[WikiError]
) -> None:
    error = from_login(result)
    assert type(error) is kind
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    ("params", "seconds"),
    [
        ([{"duration": 300}], 300.0),
        (["Bot", {"duration": 60}], 60.0),
        ([], None),
        ([{"duration": "5 minutes"}], None),
    ],
)
def test_a_throttled_login_says_how_long(params: list[object], seconds: float | None) -> None:
    error = from_login({"result": "Failed", "reason": {"code": "login-throttled", "params": params}})
    assert isinstance(error, WikiUnavailable)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"emailbounce": {}}, None),
        ({"error": {"code": "readonly", "info": "Now."}}, ("readonly", "Now.")),
        (
            {"errors": [{"code": "readonly", "key": "readonlytext", "params": []}]},
            ("readonly", "readonlytext"),
        ),
        ({"error": {}, "errors": []}, None),
        ({"error": {"info": "?"}}, ("unknown", "?")),
    ],
)
def test_both_spellings_of_an_error_are_read(
    answer: dict[str, object], error: tuple[str, str] | None
) -> None:
    assert error_in(answer) == error


def test_the_wiki_s_words_are_one_bounded_line_without_addresses() -> None:
    words = "The user\n Nora <nora.n@mail.example.org> " + "x" * 1000
    message = str(from_code("nosuchuser", words))
    assert message.startswith("nosuchuser: The user Nora <<address>> xxx")
    assert len(message) == answers.LONGEST_WORDS
