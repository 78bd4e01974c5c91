"""Made up: what a next version may do beside programs of this one"""

from pathlib import Path

import sqlalchemy as sa

from sidecar.storage import migrations
from sidecar.storage.columns import ID, TIME, line
from sidecar.storage.migrations import steps

VERSIONS = Path(str(migrations.__file__)).parent / "versions"

revision = "9001"
down_revision = max(file.name[:4] for file in VERSIONS.glob("[0-9]*.py"))
oldest = down_revision


def upgrade() -> None:
    steps.add_column("bounce", sa.Column("remote", line(64)))
    steps.add_column("action", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()))
    steps.create_index("ix_bounce_remote", "bounce", ["remote"])
    steps.create_table(
        "novelty",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_novelty"),
    )


def downgrade() -> None:
    steps.drop_table("novelty")
    steps.drop_index("ix_bounce_remote", "bounce")
    steps.drop_column("action", "urgent")
    steps.drop_column("bounce", "remote")
