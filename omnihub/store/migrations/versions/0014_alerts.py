"""Alerts: what is watched, and what was said of it to whom, once per change of state."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("key", "state", "says", "since", "run_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alerts")),
    )
    op.create_table(
        "alerts_told",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("channel", "key", "state", "at")),
        sa.PrimaryKeyConstraint("channel", "key", name=op.f("pk_alerts_told")),
    )


def downgrade() -> None:
    op.drop_table("alerts_told")
    op.drop_table("alerts")
