"""The history: notices, bounces, actions, events"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "action",
        sa.Column("id", ID, nullable=False),
        sa.Column("wiki", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_before", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("open_for", sa.String(length=100)),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("due", sa.DateTime(), nullable=False),
        sa.Column("leased_until", sa.DateTime()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("settled", sa.DateTime()),
        sa.Column("effect", sa.String(length=16), nullable=False),
        sa.Column("confirmed_at", sa.DateTime()),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("forget_until", sa.DateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_action"),
        sa.UniqueConstraint("open_for", name="uq_action_open_for"),
    )
    op.create_index("ix_action_state_due", "action", ["state", "due"])
    op.create_index("ix_action_wiki_user_id", "action", ["wiki", "user_id"])

    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("received", sa.DateTime(), nullable=False),
        sa.Column("return_path", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("aside", sa.String(length=500), nullable=False),
        sa.Column("raw", sa.LargeBinary().with_variant(sa.LargeBinary(length=16777216), "mysql")),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("fingerprint", name="uq_notice_fingerprint"),
    )
    op.create_index(
        "ix_notice_received",
        "notice",
        ["received"],
        sqlite_where=sa.text("raw IS NOT NULL"),
        postgresql_where=sa.text("raw IS NOT NULL"),
    )

    op.create_table(
        "bounce",
        sa.Column("id", ID, nullable=False),
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("wiki", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.DateTime(), nullable=False),
        sa.Column("tag", sa.String(length=6), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("received", sa.DateTime(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_bounce_notice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bounce"),
        sa.UniqueConstraint("wiki", "user_id", "sent", "tag", name="uq_bounce_wiki_user_id_sent_tag"),
    )
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("wiki", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", ID, nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_event_action_id"),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_wiki_user_id", "event", ["wiki", "user_id"])

    op.create_table(
        "action_bounce",
        sa.Column("action_id", ID, nullable=False),
        sa.Column("bounce_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_action_bounce_action_id"),
        sa.ForeignKeyConstraint(["bounce_id"], ["bounce.id"], name="fk_action_bounce_bounce_id"),
        sa.PrimaryKeyConstraint("action_id", "bounce_id", name="pk_action_bounce"),
    )


def downgrade() -> None:
    op.drop_table("action_bounce")

    op.drop_table("event")
    op.drop_table("bounce")

    op.drop_table("notice")

    op.drop_table("action")
