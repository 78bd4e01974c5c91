"""MediaWiki's error codes, what each means to us, and the operator's remedy.

Knows codes alone; what HTTP and the libraries say is in answers.py. Whatever is not in a table is temporary:
giving up is a decision that somebody took. Sources: https://www.mediawiki.org/wiki/API:Errors_and_warnings,
the extensions OAuth and BounceHandler, and what MediaWiki 1.39 and 1.43 really answered.
"""

from sidecar.domain.wiki import (
    LoginRefused,
    LoginThrottled,
    WikiError,
    WikiMisconfigured,
    WikiRefused,
    WikiUnavailable,
)

__all__ = [
    "CODES",
    "CONSUMER",
    "GATE_CODES",
    "LOGIN_CODES",
    "OAUTH_CODES",
    "PASSWORD",
    "PREFIXES",
    "RIGHT",
    "TLS",
    "URL",
    "Answer",
    "LoggedOut",
    "Passing",
]


class Passing(WikiUnavailable):
    """Unavailable, and probably over in seconds. If it comes often, look at the wiki's own error log."""


class LoggedOut(WikiUnavailable):
    """The wiki no longer knows our session. If it stays after a new login, its session store loses data."""


Answer = tuple[type[WikiError], str]  #: what is raised, and the remedy in the operator's words ("" for none)

RIGHT = (
    "give the bot's account the right emailbounce (through a group) and its bot password or OAuth consumer "
    "the grants basic and emailbounce"
)
_EXTENSION = "install the BounceSidecar extension on this wiki, of the same version as the sidecar"
_BLOCK = "unblock the bot's account, or let no autoblock fall on this host's address"
PASSWORD = "check account and password: make a new bot password in Special:BotPasswords"
URL = "check api: it must be the final URL of api.php"
TLS = "check scheme and port of api, and the certificate of the wiki"
CONSUMER = (
    "the authorisation is wrong, revoked or for another wiki: make a new owner-only consumer at "
    "Special:OAuthConsumerRegistration; if the wiki speaks of a signature, api must have the wiki's own "
    "$wgServer; if of a timestamp, check this host's clock"
)
_NO_OAUTH = (
    "the wiki did not heed the authorisation: it needs the extension OAuth, and what stands before it must "
    "let the Authorization header through"
)
_GATE = "install the extension BounceHandler on this wiki; gate mode has nothing else to talk to"
_GATE_READ = "BounceHandler is asked without a login, so everybody must be allowed to use the wiki's API"
_SESSIONS = "the wiki's session store loses what it is given ($wgSessionCacheType)"

#: MediaWiki's error codes.
CODES: dict[str, Answer] = {
    # Never.
    "nosuchuser": (WikiRefused, ""),
    "nosuchuserid": (WikiRefused, ""),
    "baduser": (WikiRefused, ""),
    "cannottell": (WikiRefused, ""),  # no Echo, and a talk page that is no wikitext
    # Not until somebody mends it.
    "permissiondenied": (WikiMisconfigured, RIGHT),
    "readapidenied": (WikiMisconfigured, RIGHT),
    "writeapidenied": (WikiMisconfigured, RIGHT),
    "badvalue": (WikiMisconfigured, _EXTENSION),  # "Unrecognized value for parameter action"
    "unknown_action": (WikiMisconfigured, _EXTENSION),
    "missingparam": (WikiMisconfigured, _EXTENSION),
    "badinteger": (WikiMisconfigured, _EXTENSION),
    "badtimestamp": (WikiMisconfigured, _EXTENSION),
    "toomanyvalues": (WikiMisconfigured, "protect fewer groups: MediaWiki takes 50"),
    "mustbeposted": (WikiMisconfigured, URL),  # something on the way turned our POST into GET
    "mustpostparams": (WikiMisconfigured, URL),
    "blocked": (WikiMisconfigured, _BLOCK),
    "autoblocked": (WikiMisconfigured, _BLOCK),
    "emailauthenticationdisabled": (
        WikiMisconfigured,
        "the wiki confirms no addresses: set $wgEmailAuthentication = true, or take this wiki out",
    ),
    "mwoauth-invalid-authorization": (WikiMisconfigured, CONSUMER),
    "mwoauth-invalid-authorization-wrong-wiki": (WikiMisconfigured, CONSUMER),
    "mwoauth-invalid-authorization-wrong-user": (WikiMisconfigured, CONSUMER),
    "mwoauth-invalid-authorization-invalid-user": (WikiMisconfigured, CONSUMER),
    "mwoauth-invalid-authorization-not-approved": (WikiMisconfigured, CONSUMER),
    "mwoauth-invalid-authorization-blocked-user": (WikiMisconfigured, _BLOCK),
    "mwoauth-api-module-disabled": (
        WikiMisconfigured,
        "take emailbounce out of $wgMWOauthDisabledApiModules",
    ),
    "mwoauth-not-api": (WikiMisconfigured, URL),
    # Ours to mend, at once.
    "badtoken": (LoggedOut, ""),
    "assertuserfailed": (LoggedOut, ""),
    "assertnameduserfailed": (LoggedOut, ""),
    # Later.
    "readonly": (Passing, ""),
    "maxlag": (WikiUnavailable, ""),
    "ratelimited": (WikiUnavailable, ""),
}

#: The same where OAuth says who asks: there is no session that could be lost.
OAUTH_CODES: dict[str, Answer] = {**CODES, "assertuserfailed": (WikiMisconfigured, _NO_OAUTH)}

#: The same where BounceHandler is asked.
GATE_CODES: dict[str, Answer] = {
    **CODES,
    "invalid-ip": (WikiMisconfigured, "add this host's address to $wgBounceHandlerInternalIPs"),
    "readapidenied": (WikiMisconfigured, _GATE_READ),
    "writeapidenied": (WikiMisconfigured, _GATE_READ),
    **dict.fromkeys(("badvalue", "unknown_action", "missingparam"), (WikiMisconfigured, _GATE)),
}

#: The same wiki's words in the answer to a login, where they may mean something else.
LOGIN_CODES: dict[str, Answer] = {
    "wrongpassword": (LoginRefused, PASSWORD),
    "wrongpasswordempty": (LoginRefused, PASSWORD),
    "nosuchuser": (LoginRefused, PASSWORD),
    "botpasswords-disabled": (WikiMisconfigured, "set $wgEnableBotPasswords = true"),
    "botpasswords-no-provider": (WikiMisconfigured, "set $wgEnableBotPasswords = true"),
    "botpasswords-invalid-name": (LoginRefused, PASSWORD),
    "botpasswords-not-exist": (LoginRefused, PASSWORD),
    "botpasswords-needs-reset": (LoginRefused, PASSWORD),
    "botpasswords-locked": (LoginRefused, _BLOCK),
    "botpasswords-restriction-failed": (
        LoginRefused,
        "the bot password does not allow this host's address",
    ),
    "api-login-fail-aborted": (LoginRefused, PASSWORD),  # a main account's password, with a second step
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
