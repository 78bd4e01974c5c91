"""The troubles of the practice wiki, and what it says in each: the words that MediaWiki uses.

Knows pages and error codes. Does not know when one is in trouble.
"""

from enum import StrEnum

from .practice_http import Reply, page

__all__ = ["DISABLED", "PAGES", "REFUSALS", "ApiError", "Trouble"]


class Trouble(StrEnum):
    """What a practice wiki can suffer from while ``suffering`` lasts."""

    READ_ONLY = "read-only"
    LAGGED = "lagged"
    RATE_LIMITED = "rate-limited"
    HTTP_500 = "http-500"
    HTTP_503 = "http-503"
    HTTP_429 = "http-429"
    NOT_JSON = "not-json"
    EXCEPTION = "exception"
    SLOW = "slow"
    HANGING = "hanging"  # nothing is said until it is over
    BOT_BLOCKED = "bot-blocked"
    NO_RIGHT = "no-right"
    NO_GRANT = "no-grant"
    NO_EXTENSION = "no-extension"
    NO_OAUTH = "no-oauth"  #: the Authorization header does not get through
    NO_CONFIRMING = "no-confirming"  #: $wgEmailAuthentication is false
    OLD_EXTENSION = "old-extension"
    CLOCK_AHEAD = "clock-ahead"
    PRIVATE = "private"  #: visitors may read nothing
    REDIRECT = "redirect"


class ApiError(Exception):
    """MediaWiki's way to say no: HTTP 200 with a code."""

    def __init__(self, code: str, info: str, **headers: str) -> None:
        super().__init__(code, info)
        self.code, self.info = code, info
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


#: Troubles of the web server before MediaWiki: it never gets to hear the request.
PAGES: dict[Trouble, Reply] = {
    Trouble.HTTP_500: page(500, "Internal Server Error"),
    Trouble.HTTP_503: page(503, "Service Unavailable", Retry_After="7"),
    Trouble.HTTP_429: page(429, "Too Many Requests", Retry_After="7"),
    Trouble.NOT_JSON: page(200, "Welcome"),
    Trouble.REDIRECT: page(301, "Moved Permanently", Location="https://elsewhere.example.org/w/api.php"),
}

_NO_PERMISSION = (
    "You don't have permission to act on other users' email addresses to which mail no longer arrives."
)

#: Troubles of the extension, in the order in which it looks for them: code and info.
REFUSALS: dict[Trouble, tuple[str, str]] = {
    Trouble.NO_RIGHT: ("permissiondenied", _NO_PERMISSION),
    Trouble.NO_GRANT: ("permissiondenied", _NO_PERMISSION),
    Trouble.BOT_BLOCKED: ("blocked", "You have been blocked from editing."),
    Trouble.RATE_LIMITED: (
        "ratelimited",
        "You've exceeded your rate limit. Please wait some time and try again.",
    ),
}

#: What the extension says once it has read the request, where the wiki confirms no addresses.
DISABLED = ("emailauthenticationdisabled", "This wiki does not confirm email addresses.")
