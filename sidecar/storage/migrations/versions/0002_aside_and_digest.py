"""What was set aside: whence it came, and the digests that told of it"""

import sqlalchemy as sa
from alembic import op

from sidecar.storage.columns import TIME, line

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("notice", sa.Column("domain", line(255), nullable=False, server_default=sa.text("''")))
    op.add_column("notice", sa.Column("null_sender", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index(
        "ix_notice_aside",
        "notice",
        ["id"],
        sqlite_where=sa.text("aside <> ''"),
        postgresql_where=sa.text("aside <> ''"),
    )
    op.create_table(
        "digest",
        sa.Column("day", line(10), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("sent", TIME),
        sa.PrimaryKeyConstraint("day", name="pk_digest"),
    )


def downgrade() -> None:
    op.drop_table("digest")
    op.drop_index("ix_notice_aside", "notice")
    op.drop_column("notice", "null_sender")
    op.drop_column("notice", "domain")
