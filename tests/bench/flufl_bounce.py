"""Mailman's flufl.bounce as a contender. It is given octets, as we are, so that parsing is its part too."""

import logging
from email import message_from_bytes
from importlib.metadata import version

from flufl.bounce import all_failures

from tests.bench.stopwatch import serve


def _recognise(raw: bytes) -> bool:
    try:
        temporary, permanent = all_failures(message_from_bytes(raw))
    except Exception:  # it raises on some mails; they count as read and not recognised
        return False
    return bool(temporary or permanent)


if __name__ == "__main__":
    logging.disable()
    serve(f"flufl.bounce {version('flufl.bounce')}", _recognise)
