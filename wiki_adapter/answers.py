"""THE table: what MediaWiki, HTTP, requests, mwclient and pywikibot say, and what that means to us.

Knows every status and exception that a call can end with, and the operator's remedy; the wiki's own error
codes stand in codes.py. Does not know who asked, nor who repeats. Whatever is not in the table is temporary:
giving up is a decision that somebody took.

    WikiUnavailable
      Passing            probably over in seconds: worth repeating within the same call
      LoggedOut          the wiki has forgotten us: log in again once, then repeat
      LoginThrottled
    WikiMisconfigured
      LoginRefused       what the answer to a login says about account and password, and not about the wiki
      CertificateRefused
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

from sidecar.domain.harmless import one_line
from sidecar.domain.wiki import CertificateRefused, WikiError, WikiMisconfigured, WikiUnavailable

from .codes import (
    CODES,
    CONSUMER,
    LOGIN_CODES,
    PASSWORD,
    PREFIXES,
    RIGHT,
    TLS,
    URL,
    Answer,
    LoggedOut,
    Passing,
)

__all__ = ["error_in", "from_code", "from_exception", "from_login", "from_response"]

LONGEST_RETRY_AFTER = 86_400.0  # seconds; whoever asks for more is asked again tomorrow
LONGEST_WORDS = 300  # characters of the wiki's own words in a message: a line of the log

#: HTTP statuses; a class of them stands under its hundred.
STATUSES: dict[int, Answer] = {
    408: (Passing, ""),
    429: (WikiUnavailable, ""),
    401: (WikiMisconfigured, "the web server wants a login of its own before api.php"),
    403: (WikiMisconfigured, "the web server or a firewall keeps us away from api.php"),
    404: (WikiMisconfigured, URL),
    405: (WikiMisconfigured, URL),
    300: (WikiMisconfigured, URL),
    400: (WikiMisconfigured, URL),
    500: (Passing, ""),
}

#: Exceptions; the first row that fits.
EXCEPTIONS: tuple[tuple[type[Exception], type[WikiError], str], ...] = (
    (requests.exceptions.SSLError, CertificateRefused, TLS),
    (requests.exceptions.ConnectTimeout, Passing, ""),
    (requests.exceptions.ConnectionError, Passing, ""),  # a kept connection that the server closed, too
    (requests.exceptions.Timeout, WikiUnavailable, ""),  # the wiki may still be at it: not again at once
    (requests.exceptions.TooManyRedirects, WikiMisconfigured, URL),
    (requests.exceptions.InvalidURL, WikiMisconfigured, URL),
    (requests.exceptions.InvalidSchema, WikiMisconfigured, URL),
    (requests.exceptions.MissingSchema, WikiMisconfigured, URL),
    (requests.exceptions.URLRequired, WikiMisconfigured, URL),
    (requests.exceptions.InvalidHeader, WikiMisconfigured, "check contact: it goes into the User-Agent"),
    (requests.exceptions.RequestException, Passing, ""),  # half an answer, a broken encoding
    (mwclient.errors.InvalidResponse, Passing, "not JSON; if it stays, " + URL),
    (mwclient.errors.APIDisabledError, WikiMisconfigured, "the wiki's API is switched off"),
    (mwclient.errors.MediaWikiVersionError, WikiMisconfigured, "this MediaWiki is too old"),
    (mwclient.errors.OAuthAuthorizationError, WikiMisconfigured, CONSUMER),
    (mwclient.errors.LoginError, WikiMisconfigured, PASSWORD),
    (mwclient.errors.InsufficientPermission, WikiMisconfigured, RIGHT),
    (mwclient.errors.NoWriteApi, WikiMisconfigured, RIGHT),
    (mwclient.errors.AssertUserFailedError, LoggedOut, ""),
    (mwclient.errors.MwClientError, WikiUnavailable, ""),
)

_FARM = "check family, code and dbname: pywikibot knows no such wiki"

#: Exceptions of pywikibot, by name, as it is imported only where it is used.
PYWIKIBOT: dict[str, Answer] = {
    "UnknownFamilyError": (WikiMisconfigured, _FARM),
    "UnknownSiteError": (WikiMisconfigured, _FARM),
}

_ADDRESS = re.compile(r"[^\s@<>\"'():]+@[^\s@<>\"'():]+\.[^\s@<>\"'():]+")
_NUMBER = re.compile(r"[0-9.]{1,12}")
_CAUSE = re.compile(r"\[(?:Errno|SSL)[^\]]*\][^'\"()]*")


def from_code(code: str, info: str, codes: Mapping[str, Answer] = CODES) -> WikiError:
    """What MediaWiki's error *code* means; *info* is its explanation."""
    return _made(_answer(code, codes), f"{code}: {info}")


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
        behind = f"{lag} s" if lag and _NUMBER.fullmatch(lag) else "some time"  # it may say anything
        return _made((Passing, ""), f"maxlag: the database is {behind} behind", retry_after=retry_after)
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
    for ancestor in type(error).__mro__:
        if ancestor.__module__ == "pywikibot.exceptions" and ancestor.__name__ in PYWIKIBOT:
            return _made(PYWIKIBOT[ancestor.__name__], words)
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


def _answer(code: str, codes: Mapping[str, Answer]) -> Answer:
    """Unknown codes are temporary."""
    found = codes.get(code) or CODES.get(code)
    return found or next(
        (row for start, row in PREFIXES.items() if code.startswith(start)), (WikiUnavailable, "")
    )


def _made(answer: Answer, words: str, *, retry_after: float | None = None) -> WikiError:
    kind, remedy = answer
    message = _cleaned(words) + (f" ({remedy})" if remedy else "")
    if issubclass(kind, WikiUnavailable):
        wait = retry_after and min(max(retry_after, 0.0), LONGEST_RETRY_AFTER)
        error: WikiError = kind(message, retry_after=wait)
    else:
        error = kind(message)
    error.remedy = remedy
    return error


def _cleaned(words: str) -> str:
    """One line, bounded, without mail addresses and without what would move a terminal's cursor."""
    return _ADDRESS.sub("<address>", one_line(words))[:LONGEST_WORDS]


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds (RFC 9110 10.2.3: a number or a date, then counted from the answer's Date)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date; one with, one without a zone; the year 10^9
        return None
