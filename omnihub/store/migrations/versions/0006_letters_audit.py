"""Dead letters keep the change whole and what became of it; everything that counts goes into a chain of hashes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW = ("golden_id", "why", "attempts", "first_at", "raw_seq", "given_up_at", "given_up_by", "because")


def upgrade() -> None:
    kinds = {"attempts": sa.Integer(), "raw_seq": BIG}
    for name in NEW:
        default = sa.text("1") if name == "attempts" else None
        column = sa.Column(name, kinds.get(name, sa.Text()), nullable=default is None, server_default=default)
        op.add_column("dead_letters", column)
    golden = "SELECT golden_id FROM crosswalk WHERE crosswalk.ref = dead_letters.ref"
    op.execute(f"UPDATE dead_letters SET first_at = at, golden_id = ({golden})")
    op.create_table(
        "audit",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )


def downgrade() -> None:
    op.drop_table("audit")
    for name in reversed(NEW):
        op.drop_column("dead_letters", name)
