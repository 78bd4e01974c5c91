"""Made up: what programs of this version cannot live with"""

import sqlalchemy as sa

from sidecar.storage.columns import line
from sidecar.storage.migrations import steps

revision = "0006"
down_revision = "0005"
oldest = "0006"


def upgrade() -> None:
    steps.drop_column("bounce", "words")


def downgrade() -> None:
    empty = sa.text("''")
    steps.add_column("bounce", sa.Column("words", line(200), nullable=False, server_default=empty))
