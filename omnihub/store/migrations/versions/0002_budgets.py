"""Budgets: the calls all processes make, in one ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_budgets")),
    )
    op.create_table(
        "budget_seats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("free_at", sa.Float(), nullable=False),
        sa.Column("busy", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", "n", name=op.f("pk_budget_seats")),
    )
    op.create_index(op.f("ix_budget_seats_name_free_at"), "budget_seats", ["name", "free_at"], unique=False)


def downgrade() -> None:
    op.drop_table("budget_seats")
    op.drop_table("budgets")
