"""THE table: what MediaWiki, HTTP, requests and mwclient say, and what that means to us.

Knows every error code, status and exception that a call can end with, and the operator's remedy.
Does not know who asked, nor who repeats. Whatever is not in the table is temporary: giving up is a
decision that somebody took. Sources: https://www.mediawiki.org/wiki/API:Errors_and_warnings and what
MediaWiki 1.39 and 1.43 really answered.

    WikiUnavailable
      Passing            probably over in seconds: worth repeating within the same call
      LoggedOut          the wiki has forgotten us: log in again once, then repeat
      LoginThrottled
    WikiMisconfigured
      LoginRefused       what the answer to a login says about account and password, and not about the wiki
    WikiRefused
"""

import re
import traceback
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import mwclient.errors
import requests.exceptions

from sidecar.domain.wiki import (
    LoginRefused,
    LoginThrottled,
    WikiError,
    WikiMisconfigured,
    WikiRefused,
    WikiUnavailable,
)

__all__ = ["LoggedOut", "Passing", "error_in", "from_code", "from_exception", "from_login", "from_response"]

LONGEST_RETRY_AFTER = 86_400.0  # seconds; whoever asks for more is asked again tomorrow
LONGEST_WORDS = 300  # characters of the wiki's own words in a message: a line of the log


class Passing(WikiUnavailable):
    """Unavailable, and probably over in seconds. If it comes often, look at the wiki's own error log."""


class LoggedOut(WikiUnavailable):
    """The wiki no longer knows our session. If it stays after a new login, its session store loses data."""


Answer = tuple[type[WikiError], str]  #: what is raised, and the remedy in the operator's words ("" for none)

_RIGHT = (
    "give the bot's account the right emailbounce (through a group) and its bot password the grants "
    "basic and emailbounce"
)
_EXTENSION = "install the BounceSidecar extension on this wiki, of the same version as the sidecar"
_BLOCK = "unblock the bot's account, or let no autoblock fall on this host's address"
_PASSWORD = "check account and password: make a new bot password in Special:BotPasswords"
_URL = "check api: it must be the final URL of api.php"
_TLS = "check scheme and port of api, and the certificate of the wiki"
_SESSIONS = "the wiki's session store loses what it is given ($wgSessionCacheType)"

#: MediaWiki's error codes.
CODES: dict[str, Answer] = {
    # Never.
    "nosuchuser": (WikiRefused, ""),
    "nosuchuserid": (WikiRefused, ""),
    "baduser": (WikiRefused, ""),
    "cannottell": (WikiRefused, ""),  # no Echo, and a talk page that is no wikitext
    # Not until somebody mends it.
    "permissiondenied": (WikiMisconfigured, _RIGHT),
    "readapidenied": (WikiMisconfigured, _RIGHT),
    "writeapidenied": (WikiMisconfigured, _RIGHT),
    "badvalue": (WikiMisconfigured, _EXTENSION),  # "Unrecognized value for parameter action"
    "unknown_action": (WikiMisconfigured, _EXTENSION),
    "missingparam": (WikiMisconfigured, _EXTENSION),
    "badinteger": (WikiMisconfigured, _EXTENSION),
    "badtimestamp": (WikiMisconfigured, _EXTENSION),
    "toomanyvalues": (WikiMisconfigured, "protect fewer groups: MediaWiki takes 50"),
    "mustbeposted": (WikiMisconfigured, _URL),  # something on the way turned our POST into GET
    "mustpostparams": (WikiMisconfigured, _URL),
    "blocked": (WikiMisconfigured, _BLOCK),
    "autoblocked": (WikiMisconfigured, _BLOCK),
    "emailauthenticationdisabled": (
        WikiMisconfigured,
        "the wiki confirms no addresses: set $wgEmailAuthentication = true, or take this wiki out",
    ),
    # Ours to mend, at once.
    "badtoken": (LoggedOut, ""),
    "assertuserfailed": (LoggedOut, ""),
    "assertnameduserfailed": (LoggedOut, ""),
    # Later.
    "readonly": (Passing, ""),
    "maxlag": (WikiUnavailable, ""),
    "ratelimited": (WikiUnavailable, ""),
}

#: The same wiki's words in the answer to a login, where they may mean something else.
LOGIN_CODES: dict[str, Answer] = {
    "wrongpassword": (LoginRefused, _PASSWORD),
    "wrongpasswordempty": (LoginRefused, _PASSWORD),
    "nosuchuser": (LoginRefused, _PASSWORD),
    "botpasswords-disabled": (WikiMisconfigured, "set $wgEnableBotPasswords = true"),
    "botpasswords-no-provider": (WikiMisconfigured, "set $wgEnableBotPasswords = true"),
    "botpasswords-invalid-name": (LoginRefused, _PASSWORD),
    "botpasswords-not-exist": (LoginRefused, _PASSWORD),
    "botpasswords-needs-reset": (LoginRefused, _PASSWORD),
    "botpasswords-locked": (LoginRefused, _BLOCK),
    "botpasswords-restriction-failed": (
        LoginRefused,
        "the bot password does not allow this host's address",
    ),
    "api-login-fail-aborted": (LoginRefused, _PASSWORD),  # a main account's password, with a second step
    "api-login-fail-aborted-nobotpw": (WikiMisconfigured, "set $wgEnableBotPasswords = true"),
    "api-login-fail-badsessionprovider": (WikiMisconfigured, "this account cannot log in with a password"),
    "login-throttled": (LoginThrottled, "too many wrong passwords from this host"),
    "sessionfailure": (WikiUnavailable, _SESSIONS),
    "sessionlost": (WikiUnavailable, _SESSIONS),
    "WrongToken": (WikiUnavailable, _SESSIONS),
    "NeedToken": (WikiUnavailable, _SESSIONS),
}

#: Codes that MediaWiki makes up from the name of a PHP class. Everything was rolled back.
PREFIXES: dict[str, Answer] = {
    "internal_api_error_DB": (Passing, ""),  # a deadlock, a replica that went away
    "internal_api_error_": (WikiUnavailable, "see the wiki's exception log"),
}

#: HTTP statuses; a class of them stands under its hundred.
STATUSES: dict[int, Answer] = {
    408: (Passing, ""),
    429: (WikiUnavailable, ""),
    401: (WikiMisconfigured, "the web server wants a login of its own before api.php"),
    403: (WikiMisconfigured, "the web server or a firewall keeps us away from api.php"),
    404: (WikiMisconfigured, _URL),
    405: (WikiMisconfigured, _URL),
    300: (WikiMisconfigured, _URL),
    400: (WikiMisconfigured, _URL),
    500: (Passing, ""),
}

#: Exceptions; the first row that fits.
EXCEPTIONS: tuple[tuple[type[Exception], type[WikiError], str], ...] = (
    (requests.exceptions.SSLError, WikiMisconfigured, _TLS),
    (requests.exceptions.ConnectTimeout, Passing, ""),
    (requests.exceptions.ConnectionError, Passing, ""),  # a kept connection that the server closed, too
    (requests.exceptions.Timeout, WikiUnavailable, ""),  # the wiki may still be at it: not again at once
    (requests.exceptions.TooManyRedirects, WikiMisconfigured, _URL),
    (requests.exceptions.InvalidURL, WikiMisconfigured, _URL),
    (requests.exceptions.InvalidSchema, WikiMisconfigured, _URL),
    (requests.exceptions.MissingSchema, WikiMisconfigured, _URL),
    (requests.exceptions.URLRequired, WikiMisconfigured, _URL),
    (requests.exceptions.InvalidHeader, WikiMisconfigured, "check contact: it goes into the User-Agent"),
    (requests.exceptions.RequestException, Passing, ""),  # half an answer, a broken encoding
    (mwclient.errors.InvalidResponse, Passing, "not JSON; if it stays, " + _URL),
    (mwclient.errors.APIDisabledError, WikiMisconfigured, "the wiki's API is switched off"),
    (mwclient.errors.MediaWikiVersionError, WikiMisconfigured, "this MediaWiki is too old"),
    (mwclient.errors.OAuthAuthorizationError, WikiMisconfigured, _PASSWORD),
    (mwclient.errors.LoginError, WikiMisconfigured, _PASSWORD),
    (mwclient.errors.InsufficientPermission, WikiMisconfigured, _RIGHT),
    (mwclient.errors.NoWriteApi, WikiMisconfigured, _RIGHT),
    (mwclient.errors.AssertUserFailedError, LoggedOut, ""),
    (mwclient.errors.MwClientError, WikiUnavailable, ""),
)

_ADDRESS = re.compile(r"[^\s@<>\"'():]+@[^\s@<>\"'():]+\.[^\s@<>\"'():]+")
_CAUSE = re.compile(r"\[(?:Errno|SSL)[^\]]*\][^'\"()]*")


def from_code(code: str, info: str) -> WikiError:
    """What MediaWiki's error *code* means; *info* is its explanation."""
    return _made(_answer(code, CODES), f"{code}: {info}")


def from_login(result: Mapping[str, Any]) -> WikiError:
    """What an unsuccessful answer to action=login (with errorformat=raw) means."""
    reason = result.get("reason")
    reason = reason if isinstance(reason, dict) else {}
    code = str(reason.get("code") or result.get("result") or "no result")
    params = [one.get("duration") for one in reason.get("params", ()) if isinstance(one, dict)]
    waits = [float(duration) for duration in params if isinstance(duration, int)]
    return _made(_answer(code, LOGIN_CODES), f"login: {code}", retry_after=waits[0] if waits else None)


def from_response(status: int, headers: Mapping[str, str]) -> WikiError | None:
    """What an HTTP response means that needs no reading; None where the answer is in the body.

    *headers* finds its names in any case, as that of requests does.
    """
    lag = headers.get("X-Database-Lag")
    if status == 200 and lag is None:
        return None
    retry_after = _seconds(headers)
    if status == 200:
        return _made((Passing, ""), f"maxlag: the database is {lag} s behind", retry_after=retry_after)
    answer = STATUSES.get(status) or STATUSES.get(status // 100 * 100) or (WikiUnavailable, "")
    return _made(answer, f"HTTP {status}", retry_after=retry_after)


def from_exception(error: Exception) -> WikiError:
    """What an exception means. Takes its type and, at most, the system's words: the rest may hold secrets."""
    if isinstance(error, WikiError):
        return error
    if isinstance(error, mwclient.errors.APIError):
        return from_code(str(error.code), str(error.info))
    response = error.response if isinstance(error, requests.exceptions.HTTPError) else None
    if response is not None and (told := from_response(response.status_code, response.headers)):
        return told
    cause = _CAUSE.search(str(error)) if isinstance(error, requests.exceptions.ConnectionError) else None
    words = type(error).__name__ + (f": {cause[0].strip()}" if cause else "")
    for kind, meaning, remedy in EXCEPTIONS:
        if isinstance(error, kind):
            return _made((meaning, remedy), words)
    where = traceback.extract_tb(error.__traceback__)[-1:]  # a bug: its place, not its words
    return WikiUnavailable(
        words + "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in where)
    )


def error_in(answer: Mapping[str, Any]) -> tuple[str, str] | None:
    """Code and info of the error that an API answer holds, in either of MediaWiki's two spellings."""
    error = answer.get("error") or next(iter(answer.get("errors") or ()), None)  # errors: errorformat=raw
    if not isinstance(error, dict):
        return None
    return str(error.get("code", "unknown")), str(error.get("info") or error.get("key") or "")


def _answer(code: str, codes: dict[str, Answer]) -> Answer:
    """Unknown codes are temporary."""
    found = codes.get(code) or CODES.get(code)
    return found or next(
        (row for start, row in PREFIXES.items() if code.startswith(start)), (WikiUnavailable, "")
    )


def _made(answer: Answer, words: str, *, retry_after: float | None = None) -> WikiError:
    kind, remedy = answer
    message = _cleaned(words) + (f" ({remedy})" if remedy else "")
    if issubclass(kind, WikiUnavailable):
        return kind(message, retry_after=retry_after and min(retry_after, LONGEST_RETRY_AFTER))
    return kind(message)


def _cleaned(words: str) -> str:
    """One line, bounded, without mail addresses and without what would move a terminal's cursor."""
    printable = "".join(character if character.isprintable() else " " for character in words)
    return _ADDRESS.sub("<address>", " ".join(printable.split()))[:LONGEST_WORDS]


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds (RFC 9110 10.2.3: a number or a date, then counted from the answer's Date)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):  # ValueError: no date; TypeError: one with, one without a zone
        return None
