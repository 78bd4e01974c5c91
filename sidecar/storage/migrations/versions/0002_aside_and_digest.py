"""What was set aside: whence it came, and the digests that told of it"""

import sqlalchemy as sa

from sidecar.storage.columns import TIME, line
from sidecar.storage.migrations import steps

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    steps.add_column("notice", sa.Column("domain", line(255), nullable=False, server_default=sa.text("''")))
    steps.add_column(
        "notice", sa.Column("null_sender", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    steps.create_index("ix_notice_aside", "notice", ["id"], "aside <> ''")
    steps.create_table(
        "digest",
        sa.Column("day", line(10), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("sent", TIME),
        sa.PrimaryKeyConstraint("day", name="pk_digest"),
    )


def downgrade() -> None:
    steps.drop_table("digest")
    steps.drop_index("ix_notice_aside", "notice")
    steps.drop_column("notice", "null_sender", "domain")
