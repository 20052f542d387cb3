"""Guards: what each source looked like before, the limits a plan broke, and approvals that end."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What is there already is counted once; from then on each record that is refined moves the counts.
_LIVING = "INSERT INTO sources (system, stream, field, now) SELECT system, stream, '', count(*) FROM refined"
_HOLDING = "INSERT INTO sources (system, stream, field, now) SELECT r.system, r.stream, f.key, count(*) FROM refined r"
_FIELDS = {
    "sqlite": "json_each(r.fields) f WHERE f.type <> 'null'",
    "postgresql": "json_each_text(r.fields::json) f WHERE f.value IS NOT NULL",
}


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("now", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("fine", sa.Integer(), nullable=True),
        sa.Column("fine_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("system", "stream", "field", name=op.f("pk_sources")),
    )
    op.execute(f"{_LIVING} WHERE NOT deleted GROUP BY system, stream")
    fields = _FIELDS["postgresql" if op.get_bind().dialect.name == "postgresql" else "sqlite"]
    op.execute(f"{_HOLDING}, {fields} AND NOT r.deleted GROUP BY r.system, r.stream, f.key")
    op.add_column("plans", sa.Column("limits", sa.Text(), nullable=True))
    op.add_column("plans", sa.Column("seen", sa.Text(), nullable=True))
    op.add_column("approvals", sa.Column("expires_at", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("approvals", "expires_at")
    op.drop_column("plans", "seen")
    op.drop_column("plans", "limits")
    op.drop_table("sources")
