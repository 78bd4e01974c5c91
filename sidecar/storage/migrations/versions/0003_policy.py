"""Streaks that know what arrived, warnings, brakes and undoing"""

import sqlalchemy as sa

from sidecar.storage.columns import ID, TIME, line
from sidecar.storage.migrations import steps

revision = "0003"
down_revision = "0002"

EMPTY = sa.text("''")


def upgrade() -> None:
    steps.add_column("notice", sa.Column("wiki", line(64), nullable=False, server_default=EMPTY))
    zero = sa.text("0")
    steps.add_column("notice", sa.Column("user_id", sa.BigInteger(), nullable=False, server_default=zero))
    steps.create_index("ix_notice_wiki_user_id", "notice", ["wiki", "user_id"])
    steps.add_column("bounce", sa.Column("words", line(200), nullable=False, server_default=EMPTY))
    steps.add_column("bounce", sa.Column("provider", line(64), nullable=False, server_default=EMPTY))
    steps.add_column("bounce", sa.Column("pardon", ID))
    confirming = sa.Column("confirming", sa.Boolean, nullable=False, server_default=sa.false())
    steps.add_column("bounce", confirming)
    steps.create_index("ix_bounce_provider_received", "bounce", ["provider", "received"])
    steps.create_index("ix_bounce_received", "bounce", ["received"])
    steps.create_index("ix_bounce_wiki_user_id_hard_sent", "bounce", ["wiki", "user_id", "hard", "sent"])
    kind = sa.Column("kind", line(16), nullable=False, server_default=sa.text("'unconfirm'"))
    steps.add_column("action", kind)
    steps.add_column("action", sa.Column("provider", line(64), nullable=False, server_default=EMPTY))
    steps.add_column("action", sa.Column("brake_id", ID))
    steps.add_column("action", sa.Column("undoes", ID))
    steps.add_column("action", sa.Column("policy", line(200), nullable=False, server_default=EMPTY))
    for column in ("settled", "created", "brake_id"):
        steps.create_index(f"ix_action_{column}", "action", [column])
    steps.nullable("event", "action_id", ID, True)
    steps.create_index("ix_event_at", "event", ["at"])
    _create_tables()


def _create_tables() -> None:
    steps.create_table(
        "send",
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("sent", TIME, nullable=False),
        sa.Column("tag", line(6), nullable=False),
        sa.Column("key_id", line(16), nullable=False),
        sa.PrimaryKeyConstraint("wiki", "user_id", "sent", "tag", name="pk_send"),
    )
    steps.create_index("ix_send_sent", "send", ["sent"])
    steps.create_table(
        "brake",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider", line(64), nullable=False),
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("tripped", TIME, nullable=False),
        sa.Column("why", line(500), nullable=False),
        sa.Column("state", line(16), nullable=False),
        sa.Column("settled", TIME),
        sa.Column("holds", line(130)),
        sa.PrimaryKeyConstraint("id", name="pk_brake"),
        sa.UniqueConstraint("holds", name="uq_brake_holds"),
    )
    steps.create_table(
        "tally",
        sa.Column("provider", line(64), nullable=False),
        sa.Column("slot", TIME, nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "slot", name="pk_tally"),
    )


def downgrade() -> None:
    """What was only possible here goes: actions other than un-confirmations, and the audit of brakes."""
    for table in ("tally", "brake", "send"):
        steps.drop_table(table)
    _drop_rows()
    steps.drop_index("ix_event_at", "event")
    steps.nullable("event", "action_id", ID, False)
    for column in ("settled", "created", "brake_id"):
        steps.drop_index(f"ix_action_{column}", "action")
    steps.drop_column("action", "policy", "undoes", "brake_id", "provider", "kind")
    steps.drop_index("ix_bounce_wiki_user_id_hard_sent", "bounce")
    steps.drop_index("ix_bounce_received", "bounce")
    steps.drop_index("ix_bounce_provider_received", "bounce")
    steps.drop_column("bounce", "confirming", "pardon", "provider", "words")
    steps.drop_index("ix_notice_wiki_user_id", "notice")
    steps.drop_column("notice", "user_id", "wiki")


def _drop_rows() -> None:
    if not steps.has_column("action", "kind"):  # said again: they are gone
        return
    others = "(SELECT id FROM action WHERE kind <> 'unconfirm')"
    steps.delete("event", "action_id IS NULL")
    steps.delete("event", f"action_id IN {others}")
    steps.delete("action_bounce", f"action_id IN {others}", by="action_id")
    steps.delete("action", "kind <> 'unconfirm'")
