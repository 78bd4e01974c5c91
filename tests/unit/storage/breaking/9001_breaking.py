"""Made up: what programs of this version cannot live with"""

from pathlib import Path

import sqlalchemy as sa

from sidecar.storage import migrations
from sidecar.storage.columns import line
from sidecar.storage.migrations import steps

VERSIONS = Path(str(migrations.__file__)).parent / "versions"

revision = "9001"
down_revision = max(file.name[:4] for file in VERSIONS.glob("[0-9]*.py"))
oldest = revision


def upgrade() -> None:
    steps.drop_column("bounce", "words")


def downgrade() -> None:
    empty = sa.text("''")
    steps.add_column("bounce", sa.Column("words", line(200), nullable=False, server_default=empty))
