"""Erasure: who was forgotten, as hashes only."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "forgettings",
        *(_text(name) for name in ("id", "state", "hash", "author", "reason", "at")),
        _text("ended_at", nullable=True),
        _text("told"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forgettings")),
    )
    op.create_table(
        "tombstones",
        *(_text(name) for name in ("hash", "kind", "system", "stream", "forgetting")),
        _text("sent_at", nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tombstones")),
    )
    op.create_index(op.f("ix_tombstones_forgetting"), "tombstones", ["forgetting"])


def downgrade() -> None:
    op.drop_table("tombstones")
    op.drop_table("forgettings")
