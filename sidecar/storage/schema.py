"""The tables of the history.

Knows columns and what may be there only once. Does not know how the tables came to be: migrations/ does, and
a test holds the two equal. No mail address has a column: a user id, a keyed tag and a domain are enough.
"""

import sqlalchemy as sa

from sidecar.storage.columns import ID, MAIL, Line, UtcDateTime

__all__ = [
    "account", "action", "action_bounce", "bounce", "brake", "canary", "circuit", "digest", "event",
    "identity", "metadata", "node", "notice", "rate", "requirement", "send", "tally",
]  # fmt: skip

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_HAS_MAIL = sa.text("raw IS NOT NULL")
_NO_MAIL = sa.text("raw IS NULL")
_IS_ASIDE = sa.text("aside <> ''")
_EMPTY = sa.text("''")

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("fingerprint", Line(64), nullable=False, unique=True),  # the same mail twice is one row
    sa.Column("received", UtcDateTime, nullable=False),
    sa.Column("return_path", Line(320), nullable=False),  # envelope recipient of the notice
    sa.Column("kind", Line(16), nullable=False),  # "" where nobody could read it
    sa.Column("aside", Line(500), nullable=False),  # why it was set aside; "" if it was booked
    sa.Column("raw", MAIL),  # zlib; NULL once dropped
    # Where it failed, else whence it came, of what is set aside: people look at these in groups.
    sa.Column("domain", Line(255), nullable=False, server_default=_EMPTY),
    sa.Column("null_sender", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("wiki", Line(64), nullable=False, server_default=_EMPTY),  # "" if it is not configured
    sa.Column("user_id", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Index(None, "wiki", "user_id"),
    # Most rows have dropped their mail; the hourly search is for the others.
    sa.Index(None, "received", sqlite_where=_HAS_MAIL),
    sa.Index("ix_notice_dropped", "received", sqlite_where=_NO_MAIL),
    sa.Index("ix_notice_aside", "id", sqlite_where=_IS_ASIDE),
)

bounce = sa.Table(
    "bounce",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("notice_id", ID, sa.ForeignKey("notice.id"), nullable=False, index=True),
    sa.Column("wiki", Line(64), nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("sent", UtcDateTime, nullable=False),
    sa.Column("tag", Line(6), nullable=False),
    sa.Column("key_id", Line(16), nullable=False),
    sa.Column("received", UtcDateTime, nullable=False),
    sa.Column("category", Line(32), nullable=False),
    sa.Column("hard", sa.Boolean, nullable=False),
    sa.Column("status", Line(16), nullable=False),
    sa.Column("rule", Line(64), nullable=False),  # which rule judged it; "" if none matched
    sa.Column("domain", Line(255), nullable=False),  # where it failed
    sa.Column("words", Line(200), nullable=False, server_default=_EMPTY),  # what the rule matched
    sa.Column("provider", Line(64), nullable=False, server_default=_EMPTY),  # who runs that domain's mail
    # It does not count: the brake whose incident it was part of, or 0, said by an operator of a whole key.
    sa.Column("pardon", ID),
    sa.Column("confirming", sa.Boolean, nullable=False, server_default=sa.false()),  # asked for one
    sa.UniqueConstraint("wiki", "user_id", "sent", "tag"),  # one token counts once
    sa.Index(
        None, "wiki", "user_id", "hard", "sent"
    ),  # a decision reads the newest failures, not all bounces
    sa.Index(None, "provider", "received"),
    sa.Index(None, "received"),
)

# Mails that we signed for users with an open streak: nothing came back of those that have no bounce.
send = sa.Table(
    "send",
    metadata,
    sa.Column("wiki", Line(64), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sent", UtcDateTime, primary_key=True),
    sa.Column("tag", Line(6), primary_key=True),
    sa.Column("key_id", Line(16), nullable=False),
    sa.Index(None, "sent"),
)

# What holds actions back, tripped by too many failures at once or pulled by hand.
brake = sa.Table(
    "brake",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("provider", Line(64), nullable=False),  # whose users it holds; "" for all
    sa.Column("wiki", Line(64), nullable=False),  # whose users it holds; "" for all
    sa.Column("since", UtcDateTime, nullable=False),  # failures from then on are part of the incident
    sa.Column("tripped", UtcDateTime, nullable=False),
    sa.Column("why", Line(500), nullable=False),
    sa.Column("state", Line(16), nullable=False),  # brakes.State
    sa.Column("settled", UtcDateTime),
    # "<provider>:<wiki>" while it holds, then NULL: one brake at a time for the same users.
    sa.Column("holds", Line(130), unique=True),
)

# How many users failed hard, for the usual rate: by provider, and "" for all, in slots of ten minutes.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("provider", Line(64), primary_key=True),
    sa.Column("slot", UtcDateTime, primary_key=True),
    sa.Column("users", sa.Integer, nullable=False),
)

action = sa.Table(
    "action",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("wiki", Line(64), nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("kind", Line(16), nullable=False, server_default=sa.text("'unconfirm'")),  # outbox.Kind
    sa.Column("confirmed_before", UtcDateTime, nullable=False),  # mistyped: when the mail was sent
    sa.Column("reason", Line(500), nullable=False),
    sa.Column("state", Line(16), nullable=False),  # actions.State
    # "<wiki>:<user id>" while it waits, then NULL: at most one open action a user, on every database.
    sa.Column("open_for", Line(100), unique=True),
    sa.Column("provider", Line(64), nullable=False, server_default=_EMPTY),  # of the newest counted bounce
    sa.Column("brake_id", ID),  # which brake holds it, or held it last
    sa.Column("undoes", ID),  # restore: the un-confirmation that it takes back
    sa.Column("policy", Line(200), nullable=False, server_default=_EMPTY),  # thresholds when it was decided
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("due", UtcDateTime, nullable=False),
    sa.Column("leased_until", UtcDateTime),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", Line(500), nullable=False),  # the wiki's own words at the last failure
    sa.Column("settled", UtcDateTime),
    sa.Column("effect", Line(16), nullable=False),
    sa.Column("confirmed_at", UtcDateTime),  # the confirmation that was taken away, or the newer one
    sa.Column("fingerprint", Line(64), nullable=False),  # the wiki's keyed hash of the address
    sa.Column("forget_until", UtcDateTime),  # bounces of mail sent up to here count no more
    sa.Index(None, "state", "due"),
    sa.Index(None, "wiki", "user_id"),
    sa.Index(None, "settled"),
    sa.Index(None, "leased_until"),
    sa.Index(None, "created"),
    sa.Index(None, "brake_id"),
)

action_bounce = sa.Table(
    "action_bounce",
    metadata,
    sa.Column("action_id", ID, sa.ForeignKey("action.id"), primary_key=True),
    sa.Column("bounce_id", ID, sa.ForeignKey("bounce.id"), primary_key=True, index=True),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("wiki", Line(64), nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("action_id", ID, sa.ForeignKey("action.id"), index=True),  # NULL: about no action, as a brake
    sa.Column("what", Line(32), nullable=False),
    sa.Column("detail", Line(500), nullable=False),
    sa.Index(None, "wiki", "user_id"),
    sa.Index(None, "at"),
)

digest = sa.Table(
    "digest",
    metadata,
    sa.Column("day", Line(10), primary_key=True),  # one a day: whoever enters the day makes it
    sa.Column("through", sa.BigInteger, nullable=False),  # the last notice that it looked at
    sa.Column("sent", UtcDateTime),  # NULL: nothing to tell, or nobody knows whether it left
)

# Of whom anything was ever booked or owed, and wikis as user 0. accounts.py says who locks which row.
account = sa.Table(
    "account",
    metadata,
    sa.Column("wiki", Line(64), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
)

# Wikis that are left alone for a while, whichever node found out.
circuit = sa.Table(
    "circuit",
    metadata,
    sa.Column("wiki", Line(64), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("until", UtcDateTime),  # not called before
    sa.Column("why", Line(500), nullable=False),
    sa.Column("credential", Line(64), nullable=False),  # keyed hash of what was refused; "" if none was
    sa.Column("changed", UtcDateTime, nullable=False),
    sa.Column("trouble", Line(16), nullable=False, server_default=_EMPTY),  # vitals.Ailment
    sa.Column("since", UtcDateTime),  # the first of the failures in a row
)

# One row: which programs may use these tables.
requirement = sa.Table(
    "requirement",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("oldest", Line(32), nullable=False),  # the version that the oldest of them was written for
)

# To whom each account of a wiki with central accounts belongs; nothing of wikis without.
identity = sa.Table(
    "identity",
    metadata,
    sa.Column("wiki", Line(64), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("lead_wiki", Line(64), nullable=False),  # the account at which is decided and acted; itself if
    sa.Column("lead_user_id", sa.BigInteger, nullable=False),  # it is local, or until the wiki was asked
    sa.Column("attached", UtcDateTime),  # to the person; earlier mail went to somebody else's address
    sa.Column("asked", UtcDateTime),  # when the answer came; NULL: never
    sa.Column("ask_at", UtcDateTime),  # when the wiki is to be asked (again); NULL: not now
    sa.Column("tries", sa.Integer, nullable=False),  # in vain, since the last answer
    sa.Index(None, "lead_wiki", "lead_user_id"),
    sa.Index(None, "asked"),
    sa.Index(None, "ask_at"),
)

# Every daemon with a database, as it was when it was last seen.
node = sa.Table(
    "node",
    metadata,
    sa.Column("name", Line(64), primary_key=True),
    sa.Column("roles", Line(32), nullable=False),
    sa.Column("version", Line(32), nullable=False),
    sa.Column("started", UtcDateTime, nullable=False),
    sa.Column("seen", UtcDateTime, nullable=False),
    sa.Column("stopped", UtcDateTime),  # in good order; NULL while it runs, or if nobody knows
    sa.Column("signed", UtcDateTime),  # the last mail that it signed, or was told of
    sa.Column("synchronised", sa.Boolean),  # its clock; NULL where that cannot be told
    sa.Column("free", sa.BigInteger),  # octets on the disk of its database; NULL with a server
)

# What happened in a day, summed: rates.What says of what. A day that is over has a row "closed".
rate = sa.Table(
    "rate",
    metadata,
    sa.Column("what", Line(16), primary_key=True),
    sa.Column("day", Line(10), primary_key=True),  # in UTC, as 2026-11-28
    sa.Column("wiki", Line(64), primary_key=True),  # "" for all together
    sa.Column("key", Line(64), primary_key=True),  # category, provider, effect, node
    sa.Column("hard", sa.Boolean, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Index(None, "day"),
)

# Bounces that we sent to ourselves, through the mail server.
canary = sa.Table(
    "canary",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("node", Line(64), nullable=False),
    sa.Column("sent", UtcDateTime, nullable=False),
    sa.Column("token", Line(64), nullable=False, unique=True),  # of its return path: which one came back
    sa.Column("returned", UtcDateTime),  # NULL: not yet
    sa.Column("error", Line(500), nullable=False),  # why it did not even leave; "" if it did
    sa.Index(None, "sent"),
)
