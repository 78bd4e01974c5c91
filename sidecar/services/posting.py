"""Mail of our own, by the mail server beside us: what may go wrong with it.

Knows what it means. Does not know SMTP: edges/mail_server.py does.
"""

__all__ = ["CannotSend"]


class CannotSend(Exception):
    """The mail server did not take it; it is tried again. Look at `smtp` and at that server."""
