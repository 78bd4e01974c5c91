"""What operators look at: who is alive, what happened each day, canaries, since when a wiki is in trouble"""

import sqlalchemy as sa

from sidecar.storage.columns import ID, TIME, line
from sidecar.storage.migrations import steps

revision = "0007"
down_revision = "0006"
oldest = "0006"  # which writes none of this, and fills in no circuit's trouble


def upgrade() -> None:
    steps.add_column("circuit", sa.Column("trouble", line(16), nullable=False, server_default=sa.text("''")))
    steps.add_column("circuit", sa.Column("since", TIME))
    steps.create_table(
        "node",
        sa.Column("name", line(64), nullable=False),
        sa.Column("roles", line(32), nullable=False),
        sa.Column("version", line(32), nullable=False),
        sa.Column("started", TIME, nullable=False),
        sa.Column("seen", TIME, nullable=False),
        sa.Column("stopped", TIME),
        sa.Column("signed", TIME),
        sa.Column("synchronised", sa.Boolean()),
        sa.Column("free", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_node"),
    )
    steps.create_table(
        "rate",
        sa.Column("what", line(16), nullable=False),
        sa.Column("day", line(10), nullable=False),
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("key", line(64), nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what", "day", "wiki", "key", "hard", name="pk_rate"),
    )
    steps.create_index("ix_rate_day", "rate", ["day"])
    steps.create_table(
        "canary",
        sa.Column("id", ID, nullable=False),
        sa.Column("node", line(64), nullable=False),
        sa.Column("sent", TIME, nullable=False),
        sa.Column("token", line(64), nullable=False),
        sa.Column("returned", TIME),
        sa.Column("error", line(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_canary"),
        sa.UniqueConstraint("token", name="uq_canary_token"),
    )
    steps.create_index("ix_canary_sent", "canary", ["sent"])


def downgrade() -> None:
    for table in ("canary", "rate", "node"):
        steps.drop_table(table)
    steps.drop_column("circuit", "trouble", "since")
