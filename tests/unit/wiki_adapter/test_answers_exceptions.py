"""The table of answers: exceptions of the libraries, HTTP statuses, and how long is to be waited."""

import inspect
import os
import subprocess
import sys
from types import ModuleType

import mwclient.errors
import pytest
import requests.exceptions
from requests.structures import CaseInsensitiveDict

from sidecar.domain.wiki import CertificateRefused, WikiError, WikiMisconfigured, WikiRefused, WikiUnavailable
from tests.support.leaks import secret
from wiki_adapter import answers
from wiki_adapter.answers import from_exception, from_response
from wiki_adapter.codes import Answer, LoggedOut, Passing

SECRET = secret("v" * 32)


#: Every exception of both libraries. The ones that our requests never meet are marked by their heirs.
EXCEPTIONS: dict[type[Exception], type[WikiError]] = {
    requests.exceptions.RequestException: Passing,
    requests.exceptions.ChunkedEncodingError: Passing,
    requests.exceptions.ConnectTimeout: Passing,
    requests.exceptions.ConnectionError: Passing,
    requests.exceptions.ContentDecodingError: Passing,
    requests.exceptions.HTTPError: Passing,
    requests.exceptions.InvalidHeader: WikiMisconfigured,
    requests.exceptions.InvalidJSONError: Passing,
    requests.exceptions.InvalidProxyURL: WikiMisconfigured,
    requests.exceptions.InvalidSchema: WikiMisconfigured,
    requests.exceptions.InvalidURL: WikiMisconfigured,
    requests.exceptions.JSONDecodeError: Passing,
    requests.exceptions.MissingSchema: WikiMisconfigured,
    requests.exceptions.ProxyError: Passing,
    requests.exceptions.ReadTimeout: WikiUnavailable,
    requests.exceptions.RetryError: Passing,
    requests.exceptions.SSLError: CertificateRefused,
    requests.exceptions.StreamConsumedError: Passing,
    requests.exceptions.Timeout: WikiUnavailable,
    requests.exceptions.TooManyRedirects: WikiMisconfigured,
    requests.exceptions.URLRequired: WikiMisconfigured,
    requests.exceptions.UnrewindableBodyError: Passing,
    mwclient.errors.APIDisabledError: WikiMisconfigured,
    mwclient.errors.APIError: WikiUnavailable,
    mwclient.errors.AssertUserFailedError: LoggedOut,
    mwclient.errors.EditError: WikiUnavailable,
    mwclient.errors.EmailError: WikiUnavailable,
    mwclient.errors.FileExists: WikiUnavailable,
    mwclient.errors.InsufficientPermission: WikiMisconfigured,
    mwclient.errors.InvalidPageTitle: WikiUnavailable,
    mwclient.errors.InvalidResponse: Passing,
    mwclient.errors.LoginError: WikiMisconfigured,
    mwclient.errors.MaximumRetriesExceeded: WikiUnavailable,
    mwclient.errors.MediaWikiVersionError: WikiMisconfigured,
    mwclient.errors.MwClientError: WikiUnavailable,
    mwclient.errors.NoSpecifiedEmail: WikiUnavailable,
    mwclient.errors.NoWriteApi: WikiMisconfigured,
    mwclient.errors.OAuthAuthorizationError: WikiMisconfigured,
    mwclient.errors.ProtectedPageError: WikiMisconfigured,
    mwclient.errors.UserBlocked: WikiMisconfigured,
}


#: Their constructors want more than words.
ARGUMENTS: dict[type[Exception], tuple[object, ...]] = {
    requests.exceptions.JSONDecodeError: (SECRET, SECRET, 0),
    mwclient.errors.APIError: ("unheard-of", "no words", {"lgpassword": SECRET}),
    mwclient.errors.AssertUserFailedError: (),
    mwclient.errors.LoginError: (SECRET, "Failed", SECRET),
    mwclient.errors.OAuthAuthorizationError: (SECRET, "Failed", SECRET),
}


def exceptions_of(module: ModuleType) -> set[type[Exception]]:
    public = {
        kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__
    }
    return {kind for kind in public if issubclass(kind, Exception) and not issubclass(kind, Warning)}


@pytest.mark.parametrize(("name", "answer"), answers.PYWIKIBOT.items())
def test_an_exception_of_pywikibot_is_known_by_its_name(name: str, answer: Answer) -> None:
    """In a process of its own: here pywikibot would be imported with settings that are not ours."""
    kind, _ = answer
    script = (
        f"from pywikibot import exceptions as e; from wiki_adapter.answers import from_exception as f;"
        f"print(type(f(e.{name}('secret words'))).__name__, f(e.{name}('secret words')))"
    )
    environment = {**os.environ, "PYWIKIBOT_NO_USER_CONFIG": "2"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith(f"{kind.__name__} {name} (check family")


@pytest.mark.parametrize("library", [mwclient.errors, requests.exceptions])
def test_every_exception_of_the_libraries_is_in_the_test(library: ModuleType) -> None:
    assert exceptions_of(library) == {kind for kind in EXCEPTIONS if kind.__module__ == library.__name__}


@pytest.mark.parametrize(("kind", "meaning"), EXCEPTIONS.items(), ids=lambda kind: kind.__name__)
def test_an_exception_has_its_meaning_and_keeps_its_secrets(
    kind: type[Exception], meaning: type[WikiError]
) -> None:
    response = requests.Response()
    response.status_code = 503
    if issubclass(kind, requests.exceptions.HTTPError):
        error = from_exception(kind(f"url with {SECRET}", response=response))
    else:
        error = from_exception(kind(*ARGUMENTS.get(kind, (f"parameters with {SECRET}",))))
    assert type(error) is meaning
    assert SECRET not in str(error)


def test_an_exception_of_nobody_is_temporary_and_names_its_place() -> None:
    try:
        raise ZeroDivisionError(SECRET)
    except ZeroDivisionError as surprise:
        error = from_exception(surprise)
    assert type(error) is WikiUnavailable
    assert str(error).startswith("ZeroDivisionError at test_answers_exceptions.py:")


def test_the_system_s_words_are_kept() -> None:
    words = "HTTPConnectionPool(host='w'): (Caused by NewConnectionError('[Errno 111] Connection refused'))"
    error = from_exception(requests.exceptions.ConnectionError(words))
    assert str(error) == "ConnectionError: [Errno 111] Connection refused"


def test_our_own_errors_pass_through() -> None:
    error = WikiRefused("no")
    assert from_exception(error) is error


def test_an_http_error_without_a_response_is_temporary() -> None:
    assert type(from_exception(requests.exceptions.HTTPError("?"))) is Passing


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, WikiUnavailable),
        (301, WikiMisconfigured),
        (307, WikiMisconfigured),
        (400, WikiMisconfigured),
        (401, WikiMisconfigured),
        (403, WikiMisconfigured),
        (404, WikiMisconfigured),
        (408, Passing),
        (410, WikiMisconfigured),
        (429, WikiUnavailable),
        (500, Passing),
        (503, Passing),
        (504, Passing),
        (599, Passing),
    ],
)
def test_an_http_status_has_its_meaning(status: int, kind: type[WikiError]) -> None:
    error = from_response(status, CaseInsensitiveDict())
    assert type(error) is kind
    assert str(error).startswith(f"HTTP {status}")


def test_a_good_response_is_left_to_be_read() -> None:
    assert from_response(200, CaseInsensitiveDict({"Retry-After": "5"})) is None


def test_lag_is_told_by_its_headers() -> None:
    error = from_response(200, CaseInsensitiveDict({"x-database-lag": "30", "retry-after": "5"}))
    assert isinstance(error, Passing)
    assert (str(error), error.retry_after) == ("maxlag: the database is 30 s behind", 5.0)


NOW = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("9" * 400, 86_400.0),
        ("Sun, 22 Nov 2026 10:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 09:59:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    error = from_response(503, CaseInsensitiveDict({"Retry-After": value, "Date": NOW}))
    assert isinstance(error, WikiUnavailable)
    assert error.retry_after == seconds


def test_a_date_needs_the_answer_s_own_date() -> None:
    error = from_response(503, CaseInsensitiveDict({"Retry-After": "Sun, 22 Nov 2026 10:01:30 GMT"}))
    assert isinstance(error, WikiUnavailable)
    assert error.retry_after is None
