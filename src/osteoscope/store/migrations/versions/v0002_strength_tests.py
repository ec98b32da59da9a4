"""Strength tests of bones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "strength_tests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("study", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("load_case", sa.String(length=32), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("created", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["studies.id"], name=op.f("fk_strength_tests_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strength_tests")),
    )
    with op.batch_alter_table("strength_tests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_strength_tests_study"), ["study"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("strength_tests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_strength_tests_study"))
    op.drop_table("strength_tests")
