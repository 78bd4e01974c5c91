"""Whom a mail was delivered to, where nobody says it: found in its header and proven by its signature.

Knows the fields in which MTAs leave the envelope recipient. Does not know keys: the intake says what is ours.
"""

import re
from itertools import islice
from typing import Protocol

from sidecar.domain import mime
from sidecar.services.receipt import Receipt

__all__ = ["find_recipient"]

#: To: comes last: anybody may write anything there. The signature proves which one is ours.
FIELDS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
MAX_CANDIDATES = 100  #: addresses that are looked at; an envelope has as many, RFC 5321 section 4.5.3.1.8

#: What cannot stand in a return path of ours. Nothing else is understood: Python's reader of such fields, in
#: the event loop, holds up the wiki for a second over a hostile header, and fails at deep comments.
_APART = re.compile(r'[\s<>()\[\],:;"\\]+')

#: Which refusal tells most, if none is accepted. What is too late is proven ours, and nothing will change
#: that. What is forged may turn out to be ours, with a key that was forgotten. Every mail has addresses that
#: are not ours.
TELLING = (Receipt.TOO_LATE, Receipt.FORGED, Receipt.NOT_OURS)


class Verifier(Protocol):
    """Whoever knows what is ours."""

    def refusal(self, recipient: str, *, tell: bool = True) -> Receipt | None: ...


def find_recipient(raw: bytes, verifier: Verifier) -> str | Receipt:
    """The first return path in the mail's own header that *verifier* accepts; else why the likeliest is not.

    Only the refusal that is handed back is logged and counted.
    """
    refused: dict[Receipt, str] = {}
    for address in _candidates(raw):
        refusal = verifier.refusal(address, tell=False)
        if refusal is None:
            return address
        refused.setdefault(refusal, address)
    worst = next((receipt for receipt in TELLING if receipt in refused), Receipt.NOT_OURS)
    verifier.refusal(refused.get(worst, ""))
    return worst


def _candidates(raw: bytes) -> list[str]:
    header = mime.parse(raw[: mime.MAX_HEADER])
    fields = [value for name in FIELDS for value in header.all(name)][:MAX_CANDIDATES]
    words = (word for field in fields for word in _APART.split(field) if "@" in word)
    return list(islice(dict.fromkeys(words), MAX_CANDIDATES))
