"""THE table: what each receipt sounds like at each door, and every other reply that a door gives.

Knows the codes of LMTP (RFC 2033, RFC 5321, RFC 3463), the words of Postfix's socketmap_table(5) and
access(5), the exit codes of <sysexits.h> and the statuses of HTTP (RFC 9110). Nothing else in the program
spells a reply: the pipe door (deliver.py), standing alone, reads the digits, and a test holds it to this
table. Does not know why a receipt was given.

A permanent refusal is a decision that somebody took. Whatever nobody foresaw is TROUBLE: an MTA deletes a
bounce that gets a 5xx, and keeps one that gets a 4xx.
"""

import os
from typing import NamedTuple

from sidecar.services.receipt import Receipt

__all__ = ["PEER_ERRORS", "REPLIES", "TROUBLE", "HttpReply", "Reply", "greeting", "lhlo", "verified", "verp"]


class HttpReply(NamedTuple):
    """What an HTTP client reads: curl --fail the status, a person the words."""

    status: int
    words: str


class Reply(NamedTuple):
    """One line for each door."""

    lmtp: str
    #: For the lookup `bounce <address>`. OK is completed by its data. Postfix refuses a recipient on NOTFOUND
    #: and keeps the mail on PERM and TEMP: a permanent refusal is spelled NOTFOUND, the rest is for people.
    socketmap: str
    #: The action in the policy protocol. A code of its own, as REJECT would be 554 (access_map_reject_code).
    #: DUNNO rather than OK: nothing speaks against it, and the mail server's other rules decide.
    policy: str
    #: What `bounce-sidecar-deliver --refuse` makes of `lmtp`; without --refuse, all but 0 is 75.
    exit_code: int
    http: HttpReply  #: 2xx for what is booked, and for nothing else: curl --fail keeps the mail on all others


REPLIES: dict[Receipt, Reply] = {
    Receipt.TAKEN: Reply("250 2.0.0 Taken", "OK ", "DUNNO", os.EX_OK, HttpReply(200, "Taken")),
    Receipt.DUPLICATE: Reply(
        "250 2.0.0 Taken before", "OK ", "DUNNO", os.EX_OK, HttpReply(200, "Taken before")
    ),
    Receipt.SET_ASIDE: Reply(
        "250 2.0.0 Set aside for a person to read",
        "OK ",
        "DUNNO",
        os.EX_OK,
        HttpReply(200, "Set aside for a person to read"),
    ),
    Receipt.NOT_OURS: Reply(
        "550 5.1.1 No such return path",
        "NOTFOUND ",
        "550 5.1.1 No such return path",
        os.EX_UNAVAILABLE,
        HttpReply(404, "No such return path"),
    ),
    Receipt.FORGED: Reply(
        "550 5.7.1 Return path is not signed by us",
        "NOTFOUND 5.7.1 Return path is not signed by us",
        "550 5.7.1 Return path is not signed by us",
        os.EX_NOPERM,
        HttpReply(403, "Return path is not signed by us"),
    ),
    Receipt.TOO_LATE: Reply(
        "550 5.7.1 Return path has expired",
        "NOTFOUND 5.7.1 Return path has expired",
        "550 5.7.1 Return path has expired",
        os.EX_NOPERM,
        HttpReply(410, "Return path has expired"),
    ),
}

#: Anything unforeseen. Not in REPLIES: it is no receipt, because nothing was received. DEFER_IF_PERMIT rather
#: than DEFER: what a later restriction refuses for good need not come again because of our trouble.
TROUBLE = Reply(
    "451 4.3.0 Temporary trouble, please try again",
    "TEMP temporary trouble, please try again",
    "DEFER_IF_PERMIT 4.3.0 Temporary trouble, please try again",
    os.EX_TEMPFAIL,
    HttpReply(503, "Temporary trouble, please try again"),
)

# LMTP: what is said about commands rather than about a mail.
OK = "250 2.0.0 OK"
SENDER_OK = "250 2.1.0 OK"
RECIPIENT_OK = "250 2.1.5 OK"
GO_AHEAD = "354 End data with <CR><LF>.<CR><LF>"
BYE = "221 2.0.0 Bye"
CANNOT_VERIFY = "252 2.5.0 Send some mail and see"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
#: For now, though it is big for ever: who looks into the queue can raise the limit; deleted is deleted.
TOO_BIG = "452 4.3.4 Message is bigger than [sockets] max_mail_bytes"
NO_RECIPIENTS = "503 5.5.1 No valid recipients"

SAY_LHLO = "500 5.5.1 This is LMTP: say LHLO"
NOT_UNDERSTOOD = "500 5.5.2 Command not understood"
LINE_TOO_LONG = "500 5.5.2 Line too long"
NOT_OFFERED = "502 5.5.1 Command is not offered here"
OUT_OF_ORDER = "503 5.5.1 Command out of order"
BAD_ARGUMENT = "501 5.5.4 Argument not understood"
BAD_SENDER = "501 5.1.7 Sender address not understood"
BAD_RECIPIENT = "501 5.1.3 Recipient address not understood"
UNKNOWN_PARAMETER = "555 5.5.4 Parameter is not offered here"

#: Mistakes of the peer: a session bears a limited number. NO_RECIPIENTS is none: a client that pipelines says
#: DATA before it knows that its recipients were refused.
PEER_ERRORS = frozenset(
    {
        SAY_LHLO,
        NOT_UNDERSTOOD,
        LINE_TOO_LONG,
        NOT_OFFERED,
        OUT_OF_ORDER,
        BAD_ARGUMENT,
        BAD_SENDER,
        BAD_RECIPIENT,
        UNKNOWN_PARAMETER,
    }
)

# LMTP: we hang up. RFC 5321 section 3.8: 421 may come in place of any reply.
TOO_MANY_ERRORS = "421 4.7.0 Too many errors, closing"
IDLE = "421 4.4.2 Idle for too long, closing"
TOO_MANY_SESSIONS = "421 4.3.2 Too many sessions, please try again"
SHUTTING_DOWN = "421 4.3.2 Shutting down, please try again"
TOO_SLOW = "421 4.4.2 No mail for too long, closing"
BROKEN = "421 4.3.0 Temporary trouble, closing"

# Socketmap: what is said about requests. PERM tells the one who asks that asking again is no use.
NOT_A_NETSTRING = "PERM not a netstring, closing"
REQUEST_TOO_LONG = "PERM request is too long"
NOT_UTF8 = "PERM request is not UTF-8"
UNKNOWN_LOOKUP = "PERM this lookup is not offered here"
EXPECTED_VERP = "PERM expected: verp <wiki> <user id> <address>"
EXPECTED_CONFIRM = "PERM expected: confirm <wiki> <user id> <address>"
EXPECTED_BOUNCE = "PERM expected: bounce <address>"
BAD_USER_ID = "PERM user id is not a positive decimal number"
BAD_ADDRESS = "PERM address has no @"
UNKNOWN_WIKI = "PERM unknown wiki"
RETURN_PATH_TOO_LONG = "PERM return path would be longer than 64 octets before the @"
TOO_MANY_CONNECTIONS = "TEMP too many connections"

# HTTP: what is said about requests rather than about a mail. Whoever hands in mail keeps it on all of them.
ALIVE = HttpReply(200, "Alive")
READY = HttpReply(200, "Ready")
NOT_BOOKED = HttpReply(200, "Nothing to book")  # an event that tells of no failure: nothing can be lost
SUBSCRIBED = HttpReply(200, "Subscribed")
NOTED = HttpReply(200, "Noted")  # what another node has signed
NO_TOKEN = HttpReply(401, "A bearer token is needed")
WRONG_TOKEN = HttpReply(401, "The bearer token is wrong")
NOT_LOGGED_IN = HttpReply(401, "Log in first, and send the form again")
ACTIONS_OFF = HttpReply(403, "Nothing was done: this dashboard only shows; set [dashboard] actions = true")
STALE_FORM = HttpReply(403, "Nothing was done: the form is too old, or of another session; load it again")
OTHER_ORIGIN = HttpReply(
    403,
    "This form is not from our own page; if a web server is in front, set [dashboard] public_url",
)
NO_FORM = HttpReply(400, "This is no form of ours")
NO_SUCH_BRAKE = HttpReply(409, "Nothing was done: that brake does not hold, or no longer")
NOT_ASIDE = HttpReply(404, "No such mail is set aside, or no longer")
NOT_ALLOWED = HttpReply(403, "Your address is not in [http] allow")
FORWARDED = HttpReply(403, "Came through a proxy, which this endpoint does not serve without a token")
BAD_SIGNATURE = HttpReply(403, "Not signed by Amazon SNS")
OTHER_TOPIC = HttpReply(403, "Not one of the topics in [http.sns] topics")
RAW_DELIVERY = HttpReply(403, "Raw message delivery is unsigned; turn it off for this subscription")
STALE = HttpReply(410, "The message is older than Amazon SNS repeats any")
OTHER_HOST = HttpReply(
    421, "The web server in front names another host than [dashboard] public_url; set that, or pass on Host"
)
NOT_FOUND = HttpReply(404, "There is nothing here")
OTHER_METHOD = HttpReply(405, "This endpoint wants another method")
BODY_TOO_SLOW = HttpReply(408, "The body took too long")
BODY_TOO_BIG = HttpReply(413, "The body is too big")
ENCODED = HttpReply(415, "The body must come without a content encoding")
NO_EXPECTATION = HttpReply(417, "100-continue is the only expectation that is met")
TOO_MANY_CLIENTS = HttpReply(503, "Too many connections, please try again")
CLOSING = HttpReply(503, "Shutting down, please try again")
NO_CERTIFICATE = HttpReply(503, "The certificate cannot be fetched, please try again")
NOT_SUBSCRIBED = HttpReply(503, "The subscription cannot be confirmed, please try again")
RETRY_AFTER = 30  # seconds; what is wrong for now is rarely mended sooner


def bad_input(words: str) -> HttpReply:
    """The client's own mistake, in words that say which."""
    return HttpReply(400, words)


def not_ready(words: str) -> HttpReply:
    """Why nothing can be booked at the moment."""
    return HttpReply(503, words)


def greeting(name: str) -> str:
    """The first line of a session."""
    return f"220 {name} LMTP"


def lhlo(name: str) -> str:
    """What we offer (RFC 2920, 6152, 6531, 2034, 1870). Not DSN: then RCPT has no parameters.

    SIZE names no limit: Postfix does not try what is above one, and deletes it if it is a bounce.
    """
    offers = [name, "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
    return "".join(f"250-{offer}\r\n" for offer in offers) + "250 SIZE"


def verp(return_path: str) -> str:
    """The answer to `verp`."""
    return "OK " + return_path


def verified(wiki: str, user_id: int) -> str:
    """The answer to `bounce` for a return path that is signed and young enough."""
    return f"{REPLIES[Receipt.TAKEN].socketmap}{wiki} {user_id}"


def verified_for_nobody_known() -> str:
    """The same if its wiki is not configured. Words, because Postfix takes an empty result for an error."""
    return f"{REPLIES[Receipt.SET_ASIDE].socketmap}signed by us, for a wiki that is not configured"
