"""The history: notices, bounces, actions, events"""

import sqlalchemy as sa

from sidecar.storage.columns import ID, MAIL, TIME, line
from sidecar.storage.migrations import steps

revision = "0001"
down_revision = None


def upgrade() -> None:
    steps.create_table(
        "action",
        sa.Column("id", ID, nullable=False),
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_before", TIME, nullable=False),
        sa.Column("reason", line(500), nullable=False),
        sa.Column("state", line(16), nullable=False),
        sa.Column("open_for", line(100)),
        sa.Column("created", TIME, nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("leased_until", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", line(500), nullable=False),
        sa.Column("settled", TIME),
        sa.Column("effect", line(16), nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("fingerprint", line(64), nullable=False),
        sa.Column("forget_until", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_action"),
        sa.UniqueConstraint("open_for", name="uq_action_open_for"),
    )
    steps.create_index("ix_action_state_due", "action", ["state", "due"])
    steps.create_index("ix_action_wiki_user_id", "action", ["wiki", "user_id"])

    steps.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("fingerprint", line(64), nullable=False),
        sa.Column("received", TIME, nullable=False),
        sa.Column("return_path", line(320), nullable=False),
        sa.Column("kind", line(16), nullable=False),
        sa.Column("aside", line(500), nullable=False),
        sa.Column("raw", MAIL),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("fingerprint", name="uq_notice_fingerprint"),
    )
    steps.create_index("ix_notice_received", "notice", ["received"], "raw IS NOT NULL")

    steps.create_table(
        "bounce",
        sa.Column("id", ID, nullable=False),
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("sent", TIME, nullable=False),
        sa.Column("tag", line(6), nullable=False),
        sa.Column("key_id", line(16), nullable=False),
        sa.Column("received", TIME, nullable=False),
        sa.Column("category", line(32), nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("status", line(16), nullable=False),
        sa.Column("rule", line(64), nullable=False),
        sa.Column("domain", line(255), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_bounce_notice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bounce"),
        sa.UniqueConstraint("wiki", "user_id", "sent", "tag", name="uq_bounce_wiki_user_id_sent_tag"),
    )
    steps.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", ID, nullable=False),
        sa.Column("what", line(32), nullable=False),
        sa.Column("detail", line(500), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_event_action_id"),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    steps.create_index("ix_event_wiki_user_id", "event", ["wiki", "user_id"])

    steps.create_table(
        "action_bounce",
        sa.Column("action_id", ID, nullable=False),
        sa.Column("bounce_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_action_bounce_action_id"),
        sa.ForeignKeyConstraint(["bounce_id"], ["bounce.id"], name="fk_action_bounce_bounce_id"),
        sa.PrimaryKeyConstraint("action_id", "bounce_id", name="pk_action_bounce"),
    )


def downgrade() -> None:
    for table in ("action_bounce", "event", "bounce", "notice", "action"):
        steps.drop_table(table)
