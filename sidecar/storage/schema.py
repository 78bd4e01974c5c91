"""The tables of the history.

Knows columns and what may be there only once. Does not know how the tables came to be: migrations/ does, and
a test holds the two equal. No mail address has a column: a user id, a keyed tag and a domain are enough.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

__all__ = [
    "UtcDateTime", "action", "action_bounce", "bounce", "brake", "digest", "event", "metadata", "notice",
    "send", "tally",
]  # fmt: skip


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in and out; stored in UTC without an offset, as all three databases can."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows only for INTEGER

_Mail = sa.LargeBinary().with_variant(sa.LargeBinary(2**24), "mysql")
_HAS_MAIL = sa.text("raw IS NOT NULL")
_NO_MAIL = sa.text("raw IS NULL")
_IS_ASIDE = sa.text("aside <> ''")
_EMPTY = sa.text("''")

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),  # the same mail twice is one row
    sa.Column("received", UtcDateTime, nullable=False),
    sa.Column("return_path", sa.String(320), nullable=False),  # envelope recipient of the notice
    sa.Column("kind", sa.String(16), nullable=False),  # "" where nobody could read it
    sa.Column("aside", sa.String(500), nullable=False),  # why it was set aside; "" if it was booked
    sa.Column("raw", _Mail),  # zlib; NULL once dropped
    # Where it failed, else whence it came, of what is set aside: people look at these in groups.
    sa.Column("domain", sa.String(255), nullable=False, server_default=_EMPTY),
    sa.Column("null_sender", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("wiki", sa.String(64), nullable=False, server_default=_EMPTY),  # "" if it is not configured
    sa.Column("user_id", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Index(None, "wiki", "user_id"),
    # Most rows have dropped their mail; the hourly search is for the others.
    sa.Index(None, "received", sqlite_where=_HAS_MAIL, postgresql_where=_HAS_MAIL),
    sa.Index("ix_notice_dropped", "received", sqlite_where=_NO_MAIL, postgresql_where=_NO_MAIL),
    sa.Index("ix_notice_aside", "id", sqlite_where=_IS_ASIDE, postgresql_where=_IS_ASIDE),
)

bounce = sa.Table(
    "bounce",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("notice_id", _Id, sa.ForeignKey("notice.id"), nullable=False, index=True),
    sa.Column("wiki", sa.String(64), nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("sent", UtcDateTime, nullable=False),
    sa.Column("tag", sa.String(6), nullable=False),
    sa.Column("key_id", sa.String(16), nullable=False),
    sa.Column("received", UtcDateTime, nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("hard", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("rule", sa.String(64), nullable=False),  # which rule judged it; "" if none matched
    sa.Column("domain", sa.String(255), nullable=False),  # where it failed
    sa.Column("words", sa.String(200), nullable=False, server_default=_EMPTY),  # what the rule matched
    sa.Column(
        "provider", sa.String(64), nullable=False, server_default=_EMPTY
    ),  # who runs that domain's mail
    sa.Column("pardon", _Id),  # the brake whose incident this failure was part of: it does not count
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
    sa.Column("wiki", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True),
    sa.Column("sent", UtcDateTime, primary_key=True),
    sa.Column("tag", sa.String(6), primary_key=True),
    sa.Column("key_id", sa.String(16), nullable=False),
    sa.Index(None, "sent"),
)

# What holds actions back, tripped by too many failures at once or pulled by hand.
brake = sa.Table(
    "brake",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("provider", sa.String(64), nullable=False),  # whose users it holds; "" for all
    sa.Column("wiki", sa.String(64), nullable=False),  # whose users it holds; "" for all
    sa.Column("since", UtcDateTime, nullable=False),  # failures from then on are part of the incident
    sa.Column("tripped", UtcDateTime, nullable=False),
    sa.Column("why", sa.String(500), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # brakes.State
    sa.Column("settled", UtcDateTime),
    # "<provider>:<wiki>" while it holds, then NULL: one brake at a time for the same users.
    sa.Column("holds", sa.String(130), unique=True),
)

# How many users failed hard, for the usual rate: by provider, and "" for all, in slots of ten minutes.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("provider", sa.String(64), primary_key=True),
    sa.Column("slot", UtcDateTime, primary_key=True),
    sa.Column("users", sa.Integer, nullable=False),
)

action = sa.Table(
    "action",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("wiki", sa.String(64), nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, server_default=sa.text("'unconfirm'")),  # outbox.Kind
    sa.Column("confirmed_before", UtcDateTime, nullable=False),  # mistyped: when the mail was sent
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # actions.State
    # "<wiki>:<user id>" while it waits, then NULL: at most one open action a user, on every database.
    sa.Column("open_for", sa.String(100), unique=True),
    sa.Column(
        "provider", sa.String(64), nullable=False, server_default=_EMPTY
    ),  # of the newest counted bounce
    sa.Column("brake_id", _Id),  # which brake holds it, or held it last
    sa.Column("undoes", _Id),  # restore: the un-confirmation that it takes back
    sa.Column(
        "policy", sa.String(200), nullable=False, server_default=_EMPTY
    ),  # thresholds when it was decided
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("due", UtcDateTime, nullable=False),
    sa.Column("leased_until", UtcDateTime),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.String(500), nullable=False),  # the wiki's own words at the last failure
    sa.Column("settled", UtcDateTime),
    sa.Column("effect", sa.String(16), nullable=False),
    sa.Column("confirmed_at", UtcDateTime),  # the confirmation that was taken away, or the newer one
    sa.Column("fingerprint", sa.String(64), nullable=False),  # the wiki's keyed hash of the address
    sa.Column("forget_until", UtcDateTime),  # bounces of mail sent up to here count no more
    sa.Index(None, "state", "due"),
    sa.Index(None, "wiki", "user_id"),
    sa.Index(None, "settled"),
    sa.Index(None, "created"),
    sa.Index(None, "brake_id"),
)

action_bounce = sa.Table(
    "action_bounce",
    metadata,
    sa.Column("action_id", _Id, sa.ForeignKey("action.id"), primary_key=True),
    sa.Column("bounce_id", _Id, sa.ForeignKey("bounce.id"), primary_key=True, index=True),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("wiki", sa.String(64), nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("action_id", _Id, sa.ForeignKey("action.id"), index=True),  # NULL: about no action, as a brake
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("detail", sa.String(500), nullable=False),
    sa.Index(None, "wiki", "user_id"),
    sa.Index(None, "at"),
)

digest = sa.Table(
    "digest",
    metadata,
    sa.Column("day", sa.String(10), primary_key=True),  # one a day: whoever enters the day makes it
    sa.Column("through", sa.BigInteger, nullable=False),  # the last notice that it looked at
    sa.Column("sent", UtcDateTime),  # NULL: nothing to tell, or nobody knows whether it left
)
