"""The life of a finding: groups, owners, decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NEW = (
    sa.Column("group_id", sa.Text(), nullable=False, server_default=sa.text("''")),
    sa.Column("cause", sa.Text(), nullable=False, server_default=sa.text("''")),
    sa.Column("evidence", sa.Text(), nullable=False, server_default=sa.text("''")),
    sa.Column("at_stake_cents", _BIG, nullable=False, server_default=sa.text("0")),
    sa.Column("currency", sa.Text(), nullable=False, server_default=sa.text("''")),
    sa.Column("customers", sa.Integer(), nullable=False, server_default=sa.text("0")),
    sa.Column("changed_at", sa.Text(), nullable=True),
    sa.Column("assigned_to", sa.Text(), nullable=True),
    sa.Column("because", sa.Text(), nullable=True),
    sa.Column("until", sa.Text(), nullable=True),
    sa.Column("decided_by", sa.Text(), nullable=True),
    sa.Column("decided_at", sa.Text(), nullable=True),
    sa.Column("note", sa.Text(), nullable=True),
    sa.Column("seq", _BIG, nullable=False, server_default=sa.text("0")),
)


def upgrade() -> None:
    for column in _NEW:
        op.add_column("findings", column._copy())
    op.create_index(op.f("ix_findings_group_id"), "findings", ["group_id"])
    op.create_index(op.f("ix_findings_seq"), "findings", ["seq"])


def downgrade() -> None:
    op.drop_index(op.f("ix_findings_seq"), table_name="findings")
    op.drop_index(op.f("ix_findings_group_id"), table_name="findings")
    for column in reversed(_NEW):
        op.drop_column("findings", column.name)
