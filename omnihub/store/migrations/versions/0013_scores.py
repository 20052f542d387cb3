"""The scorecard of each run, and the money at risk."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scores",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("run_id", "system", "entity", "field", "phase")),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("golden", "comparable", "equal", "corrected", "filled")
        ),
        sa.PrimaryKeyConstraint("run_id", "system", "entity", "field", "phase", name=op.f("pk_scores")),
    )
    op.create_table(
        "stakes",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("run_id", "system", "entity", "currency")),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "system", "entity", "currency", name=op.f("pk_stakes")),
    )


def downgrade() -> None:
    op.drop_table("stakes")
    op.drop_table("scores")
