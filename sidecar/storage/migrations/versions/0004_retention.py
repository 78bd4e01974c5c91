"""What is dropped by age, and what refers to it, is found by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INDEXES = (
    ("ix_bounce_notice_id", "bounce", "notice_id"),
    ("ix_action_bounce_bounce_id", "action_bounce", "bounce_id"),
    ("ix_event_action_id", "event", "action_id"),
)


def upgrade() -> None:
    for name, table, column in INDEXES:
        op.create_index(name, table, [column])
    dropped = sa.text("raw IS NULL")
    op.create_index(
        "ix_notice_dropped", "notice", ["received"], sqlite_where=dropped, postgresql_where=dropped
    )


def downgrade() -> None:
    op.drop_index("ix_notice_dropped", "notice")
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
