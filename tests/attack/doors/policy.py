"""Requests of Postfix's policy protocol, which Exim's readsocket speaks too, that no honest server makes.

What must be: the same answers however the octets are cut; each one known action and an empty line; nothing
behind a hang-up; little is kept; never DUNNO for an address in our domain that was not signed.
"""

from collections.abc import Mapping

from sidecar.edges import policy_delegation
from sidecar.edges.policy_service import PolicyService
from sidecar.edges.replies import REPLIES
from tests.attack.doors.fuzz import Broken, Target, fuzz
from tests.attack.doors.keys import GOOD, return_paths, was_signed
from tests.attack.doors.pieces import cuts
from tests.attack.tally import Tally

__all__ = ["TARGET", "campaign"]

_PATHS = return_paths()
_SERVICE = PolicyService(_PATHS)
_ACTIONS = frozenset(reply.policy for reply in REPLIES.values())
KEPT = policy_delegation.REQUEST_LIMIT + 65_536 + 2  # octets: one request, and one packet


def _decide(attributes: Mapping[str, str]) -> str:
    action = _SERVICE._decide(attributes)
    recipient = attributes.get("recipient", "")
    if action == "DUNNO" and _PATHS.concerns(recipient) and not was_signed(recipient):
        raise Broken(f"DUNNO for {recipient!r}")
    return action


def _check(data: bytes) -> None:
    heard = set()
    for pieces in cuts(data):
        connection = policy_delegation.Connection(_decide)
        answer = b""
        for piece in pieces:
            answer += connection.receive(piece)
            if len(connection._input) > KEPT:
                raise Broken(f"{len(connection._input)} octets are kept")
        if connection.closed and connection.receive(b"request=smtpd_access_policy\n\n"):
            raise Broken("it speaks behind a hang-up")
        heard.add((answer, connection.closed))
    if len(heard) != 1:
        raise Broken(f"the answer depends on the packets: {sorted(heard)!r:.300}")
    *said, rest = next(iter(heard))[0].split(b"\n\n")
    for one in said:
        if one.decode().removeprefix("action=") not in _ACTIONS or not one.startswith(b"action="):
            raise Broken(f"an answer that is none: {one!r}")
    if rest:
        raise Broken("an answer that does not end")


def _request(recipient: str) -> bytes:
    return (
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nhelo_name=mx.example.org\n"
        f"queue_id=\nsender=\nrecipient={recipient}\nrecipient_count=0\nclient_address=192.0.2.1\n\n"
    ).encode()


TARGET = Target(
    __name__,
    _check,
    seeds=[
        *map(_request, GOOD),
        _request("nobody@b.example") + _request("somebody@example.org"),
        _request(""),
    ],
    words=[
        *(
            b"\n\n",
            b"\n",
            b"\r\n",
            b"=",
            b"recipient=",
            b"request=smtpd_access_policy",
            b"\0",
            b"\xff",
            b"@b.example",
        ),
        *(b"%", b"!", b'"', b"<", b"@a:", b"postmaster", b"\xe2\x84\xaa", b"wiki-enwiki-1-"),
    ],
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)
