"""What a study is by its headers alone, which was its fingerprint before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Without a batch: SQLite would make the table anew, which other tables point to.
    op.add_column("studies", sa.Column("identity", sa.String(length=64), server_default="", nullable=False))
    op.execute("UPDATE studies SET identity = fingerprint")
    op.create_index("ix_studies_identity", "studies", ["identity"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_studies_identity", table_name="studies")
    op.drop_column("studies", "identity")
