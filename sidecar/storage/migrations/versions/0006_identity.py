"""One person, several accounts: who leads each, and when that was asked"""

import sqlalchemy as sa

from sidecar.storage.columns import TIME, line
from sidecar.storage.migrations import steps

revision = "0006"
down_revision = "0005"
oldest = "0005"  # which knows no wiki with central accounts


def upgrade() -> None:
    steps.create_table(
        "identity",
        sa.Column("wiki", line(64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("lead_wiki", line(64), nullable=False),
        sa.Column("lead_user_id", sa.BigInteger(), nullable=False),
        sa.Column("attached", TIME),
        sa.Column("asked", TIME),
        sa.Column("ask_at", TIME),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("wiki", "user_id", name="pk_identity"),
    )
    for columns in (["lead_wiki", "lead_user_id"], ["asked"], ["ask_at"]):
        steps.create_index(f"ix_identity_{'_'.join(columns)}", "identity", columns)


def downgrade() -> None:
    steps.drop_table("identity")
