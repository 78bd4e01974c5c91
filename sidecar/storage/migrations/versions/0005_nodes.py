"""Several nodes on one database: accounts to lock, circuits that are shared, and who may use these tables"""

import sqlalchemy as sa

from sidecar.storage.columns import TIME, line
from sidecar.storage.migrations import steps

revision = "0005"
down_revision = "0004"
oldest = "0005"  # before, nobody asked


def upgrade() -> None:
    steps.create_table(
        "account",
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("wiki", "user_id", name="pk_account"),
    )
    steps.create_table(
        "circuit",
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", TIME),
        sa.Column("why", line(500), nullable=False),
        sa.Column("credential", line(64), nullable=False),
        sa.Column("changed", TIME, nullable=False),
        sa.PrimaryKeyConstraint("wiki", name="pk_circuit"),
    )
    steps.create_table(
        "requirement",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("oldest", line(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requirement"),
    )
    steps.insert("requirement", id=1, oldest=oldest)
    steps.create_index("ix_action_leased_until", "action", ["leased_until"])
    steps.fill_accounts("bounce")
    steps.fill_accounts("action")


def downgrade() -> None:
    steps.drop_index("ix_action_leased_until", "action")
    for table in ("requirement", "circuit", "account"):
        steps.drop_table(table)
