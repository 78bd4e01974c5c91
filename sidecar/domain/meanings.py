"""What each category means, in the words of docs/classifying.md: for people who read numbers.

Knows words. Does not know which rule names a category, nor whether it counts: rule.py and classify.py do.
"""

from .rule import Category

__all__ = ["MEANINGS"]

MEANINGS = {
    Category.USER_UNKNOWN: "the domain is there, the mailbox is not",
    Category.MOVED: "the mailbox was there; the server says where to, or that it is gone",
    Category.HOST_UNKNOWN: "the domain is not in the DNS, or names no host for mail",
    Category.NOT_ACCEPTING: "the domain says that it takes no mail (null MX, RFC 7505)",
    Category.MAILBOX_DISABLED: "closed, suspended or inactive, and not for a moment",
    Category.MAILBOX_FULL: "somebody will tidy up",
    Category.NETWORK: "no connection, DNS without an answer, loops",
    Category.EXPIRED: "the queue's patience ended, and the notice gives no better reason",
    Category.SYSTEM_ERROR: "the remote is busy, broken, or closed for now",
    Category.TLS: "no encryption, or a certificate that is not trusted",
    Category.PROTOCOL: "a command or its syntax was refused",
    Category.RATE_LIMITED: "too much at once, or greylisted",
    Category.BLOCKED: "our host, network or domain is on somebody's list",
    Category.SENDER_REJECTED: "they do not want our envelope sender or From",
    Category.SPAM: "they take our mail for spam",
    Category.POLICY: "a rule of theirs, not nearer explained",
    Category.AUTH_FAILURE: "SPF, DKIM, DMARC, or a login that we lack",
    Category.TOO_BIG: "the mail, not the mailbox",
    Category.CONTENT: "form or words of the mail",
    Category.VIRUS: "they found malware in the mail",
    Category.RELAY_DENIED: "the server does not think that the domain is its own",
    Category.FORWARDED: "not the address written to failed; found by comparing, never by a rule",
    Category.UNDEFINED: "no rule matched: set aside for a person",
}
