"""Streaks that know what arrived, warnings, brakes and undoing"""

import sqlalchemy as sa
from alembic import op

from sidecar.storage.columns import ID, TIME, line

revision = "0003"
down_revision = "0002"

EMPTY = sa.text("''")


def upgrade() -> None:
    op.add_column("notice", sa.Column("wiki", line(64), nullable=False, server_default=EMPTY))
    zero = sa.text("0")
    op.add_column("notice", sa.Column("user_id", sa.BigInteger(), nullable=False, server_default=zero))
    op.create_index("ix_notice_wiki_user_id", "notice", ["wiki", "user_id"])
    op.add_column("bounce", sa.Column("words", line(200), nullable=False, server_default=EMPTY))
    op.add_column("bounce", sa.Column("provider", line(64), nullable=False, server_default=EMPTY))
    op.add_column("bounce", sa.Column("pardon", ID))
    confirming = sa.Column("confirming", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("bounce", confirming)
    op.create_index("ix_bounce_provider_received", "bounce", ["provider", "received"])
    op.create_index("ix_bounce_received", "bounce", ["received"])
    op.create_index("ix_bounce_wiki_user_id_hard_sent", "bounce", ["wiki", "user_id", "hard", "sent"])
    kind = sa.Column("kind", line(16), nullable=False, server_default=sa.text("'unconfirm'"))
    op.add_column("action", kind)
    op.add_column("action", sa.Column("provider", line(64), nullable=False, server_default=EMPTY))
    op.add_column("action", sa.Column("brake_id", ID))
    op.add_column("action", sa.Column("undoes", ID))
    op.add_column("action", sa.Column("policy", line(200), nullable=False, server_default=EMPTY))
    for column in ("settled", "created", "brake_id"):
        op.create_index(f"ix_action_{column}", "action", [column])
    with op.batch_alter_table("event") as event:
        event.alter_column("action_id", existing_type=ID, nullable=True)
    op.create_index("ix_event_at", "event", ["at"])
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "send",
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("sent", TIME, nullable=False),
        sa.Column("tag", line(6), nullable=False),
        sa.Column("key_id", line(16), nullable=False),
        sa.PrimaryKeyConstraint("wiki", "user_id", "sent", "tag", name="pk_send"),
    )
    op.create_index("ix_send_sent", "send", ["sent"])
    op.create_table(
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
    op.create_table(
        "tally",
        sa.Column("provider", line(64), nullable=False),
        sa.Column("slot", TIME, nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "slot", name="pk_tally"),
    )


def downgrade() -> None:
    """What was only possible here goes: actions other than un-confirmations, and the audit of brakes."""
    for table in ("tally", "brake", "send"):
        op.drop_table(table)
    op.execute("DELETE FROM event WHERE action_id IS NULL")
    others = "(SELECT id FROM action WHERE kind <> 'unconfirm')"
    op.execute(f"DELETE FROM event WHERE action_id IN {others}")
    op.execute(f"DELETE FROM action_bounce WHERE action_id IN {others}")
    op.execute("DELETE FROM action WHERE kind <> 'unconfirm'")
    op.drop_index("ix_event_at", "event")
    with op.batch_alter_table("event") as event:
        event.alter_column("action_id", existing_type=ID, nullable=False)
    for column in ("settled", "created", "brake_id"):
        op.drop_index(f"ix_action_{column}", "action")
    for column in ("policy", "undoes", "brake_id", "provider", "kind"):
        op.drop_column("action", column)
    op.drop_index("ix_bounce_wiki_user_id_hard_sent", "bounce")
    op.drop_index("ix_bounce_received", "bounce")
    op.drop_index("ix_bounce_provider_received", "bounce")
    for column in ("confirming", "pardon", "provider", "words"):
        op.drop_column("bounce", column)
    op.drop_index("ix_notice_wiki_user_id", "notice")
    for column in ("user_id", "wiki"):
        op.drop_column("notice", column)
