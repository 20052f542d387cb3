"""Identity: models, the steward queue, every decision a person ever made, and the ids a record had before a merge."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GONE = sa.text("merged_into IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "models",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("frequencies", sa.LargeBinary(), nullable=True),
        sa.Column("trained_on", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "version", name=op.f("pk_models")),
    )
    op.create_table(
        "queue",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue")),
    )
    op.create_index(op.f("ix_queue_entity"), "queue", ["entity"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_decisions")),
    )
    for column in (
        sa.Column("id", BIG, nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("reopened_at", sa.Text(), nullable=True),
    ):
        op.add_column("judgements", column)
    op.create_index(op.f("ix_judgements_b"), "judgements", ["b"], unique=False)
    op.create_index(op.f("ix_judgements_seq"), "judgements", ["seq"], unique=False)
    op.add_column("crosswalk", sa.Column("former", sa.Text(), nullable=True))
    op.create_index(op.f("ix_goldens_founder"), "goldens", ["founder"], unique=False)
    op.create_index(
        op.f("ix_goldens_merged_into"),
        "goldens",
        ["merged_into"],
        unique=False,
        sqlite_where=GONE,
        postgresql_where=GONE,
    )
    op.create_index(op.f("ix_events_golden_id"), "events", ["golden_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_events_golden_id"), "events")
    op.drop_index(op.f("ix_goldens_merged_into"), "goldens")
    op.drop_index(op.f("ix_goldens_founder"), "goldens")
    op.drop_column("crosswalk", "former")
    op.drop_index(op.f("ix_judgements_seq"), "judgements")
    op.drop_index(op.f("ix_judgements_b"), "judgements")
    for column in ("reopened_at", "note", "evidence", "id"):
        op.drop_column("judgements", column)
    op.drop_table("decisions")
    op.drop_table("queue")
    op.drop_table("models")
