"""Indexes: none that nobody asks, and none over rows that have nothing to say there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NESTED = sa.text("parent IS NOT NULL")


def upgrade() -> None:
    op.drop_index(op.f("ix_raw_ref"), "raw")
    op.drop_index(op.f("ix_refined_parent"), "refined")
    op.create_index(
        op.f("ix_refined_parent"), "refined", ["parent"], unique=False, sqlite_where=NESTED, postgresql_where=NESTED
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_refined_parent"), "refined")
    op.create_index(op.f("ix_refined_parent"), "refined", ["parent"], unique=False)
    op.create_index(op.f("ix_raw_ref"), "raw", ["ref"], unique=False)
