"""What is dropped by age, and what refers to it, is found by an index"""

from sidecar.storage.migrations import steps

revision = "0004"
down_revision = "0003"

INDEXES = (
    ("ix_bounce_notice_id", "bounce", "notice_id"),
    ("ix_action_bounce_bounce_id", "action_bounce", "bounce_id"),
    ("ix_event_action_id", "event", "action_id"),
)


def upgrade() -> None:
    for name, table, column in INDEXES:
        steps.create_index(name, table, [column])
    steps.create_index("ix_notice_dropped", "notice", ["received"], "raw IS NULL")


def downgrade() -> None:
    steps.drop_index("ix_notice_dropped", "notice")
    for name, table, _ in INDEXES:
        steps.drop_index(name, table)
