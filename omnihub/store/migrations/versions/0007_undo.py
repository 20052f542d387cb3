"""Undo: the systems' own form of what was replaced, plans that take back others, and what a person has undone."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plans", sa.Column("kind", sa.Text(), nullable=False, server_default=sa.text("'sync'")))
    op.add_column("plans", sa.Column("about", sa.Text(), nullable=True))
    op.add_column("changes", sa.Column("exact", sa.Text(), nullable=True))
    op.add_column("receipts", sa.Column("native", sa.Text(), nullable=True))
    op.create_table(
        "holds",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=True),
        sa.Column("ours", sa.Text(), nullable=True),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ref", "field", name=op.f("pk_holds")),
    )


def downgrade() -> None:
    op.drop_table("holds")
    op.drop_column("receipts", "native")
    op.drop_column("changes", "exact")
    op.drop_column("plans", "about")
    op.drop_column("plans", "kind")
