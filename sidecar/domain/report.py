"""What a notice says about one recipient, in the words of RFC 3464.

Knows the words. Does not know how they were found in a mail, nor what they mean for the recipient.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Report", "ReportAction"]


class ReportAction(StrEnum):
    """RFC 3464 section 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    UNSTATED = "unstated"  #: no legible Action; not in the RFC, common in the wild


@dataclass(frozen=True)
class Report:
    """One recipient's part of a notice. A field that the mail does not fill is the empty string."""

    address: str  #: Final-Recipient without its type
    action: ReportAction
    original: str = ""  #: Original-Recipient without its type: what the sender wrote, before forwarding
    status: str = ""  #: enhanced status code, RFC 3463, as "5.1.1"
    reply: str = ""  #: SMTP reply code, RFC 5321 section 4.2, as "550"
    diagnostic: str = ""  #: the words of the server that refused, unfolded
    remote_mta: str = ""  #: host that refused
