"""The policy service: a mail server asks at RCPT whether a recipient is a good return path of ours.

Knows the two attributes that matter, in Postfix's policy protocol; Exim asks in the same words. Does not know
keys, wikis or the time. It may be asked about all mail: what is not in a domain of ours is never touched.
"""

from collections.abc import Mapping
from typing import Protocol

import structlog

from sidecar.domain.verp import Token
from sidecar.edges import policy_delegation
from sidecar.edges.few_lines import FewLines
from sidecar.edges.policy_delegation import NotUnderstood
from sidecar.edges.query_socket import Limits, QuerySocket
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.services.receipt import Receipt
from sidecar.telemetry import Door, Metrics, report

__all__ = ["PolicyService", "ReturnPaths"]

REQUEST = "smtpd_access_policy"  # the only kind of request there is

log = structlog.get_logger()


class ReturnPaths(Protocol):
    """What this door may ask. Pure computation: neither blocks nor waits."""

    def concerns(self, address: str) -> bool:
        """Whether to verify it: not another domain's address, nor postmaster's."""
        ...

    def verify(self, address: str) -> Token | Receipt:
        """Whose it is, or else what becomes of mail to it."""
        ...


class PolicyService(QuerySocket):
    """Serves the policy protocol on one Unix socket.

    One connection too many is hung up on without a word: then the mail server's own setting for a service
    that is down holds, as it does for whatever is no request.
    """

    def __init__(
        self, return_paths: ReturnPaths, *, limits: Limits | None = None, door: Door | None = None
    ) -> None:
        door = door or Door(Metrics(), "policy")
        self._return_paths, self._failed = return_paths, door.trouble.inc
        self._unasked = FewLines()
        super().__init__(self._dialogue, b"", door, limits=limits)

    def _dialogue(self) -> policy_delegation.Connection:
        return policy_delegation.Connection(self._decide, self._not_understood)

    def _not_understood(self, why: str) -> None:
        self._unasked.say(log.warning, "policy request not understood", why=why)

    def _decide(self, attributes: Mapping[str, str]) -> str:
        if attributes.get("request") != REQUEST:
            raise NotUnderstood(f"want request={REQUEST}")
        try:
            return self._action(attributes.get("recipient", ""))
        except Exception as error:  # a door: unforeseen is temporary
            report(log, "recipient could not be judged", error)
            self._failed()
            return TROUBLE.policy

    def _action(self, recipient: str) -> str:
        """No recipient, as before RCPT or for several at once, is nobody's of ours."""
        if not self._return_paths.concerns(recipient):
            return REPLIES[Receipt.TAKEN].policy
        found = self._return_paths.verify(recipient)
        return REPLIES[Receipt.TAKEN if isinstance(found, Token) else found].policy
