"""The command to which a server answered with a refusal, as the words of a notice have it.

Knows how Postfix and Exim write it. They keep it out of the diagnostic, and the same "user unknown" is about
the sender after MAIL FROM, and about the mail after its data. Does not know what a phase means (see rules).
"""

import re

from .reason import reasons

__all__ = ["find_phase", "phases"]

_PHASE = re.compile(
    r"\b(?:after|in reply to|in response to) (?:the )?(?:pipelined )?"
    r"(?:end of (?:data|DATA)|sending data block|DATA|MAIL FROM|initial (?:connection|server greeting)"
    r"|EHLO|HELO|LHLO|end of connection)\b|\brefused to talk to me\b"
)


def phases(text: str, addresses: list[str]) -> dict[str, str]:
    """The phase that *text* gives for each of *addresses*, by the address in lower case; RCPT is left out.

    One that the words do not name under this address gets whatever phase there is: in doubt it was not RCPT.
    """
    anywhere = find_phase(" ".join(text.split()))
    if not anywhere:
        return {}
    wanted = {address.lower() for address in addresses}
    about = reasons(text, addresses) if len(wanted) > 1 else {}
    return {address: find_phase(about[address]) if address in about else anywhere for address in wanted}


def find_phase(words: str) -> str:
    """The first phase in *words*, which are on one line; "" if they give none, or RCPT."""
    found = _PHASE.search(words)
    return found.group(0) if found else ""
