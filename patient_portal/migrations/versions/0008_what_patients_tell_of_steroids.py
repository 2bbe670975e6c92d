"""Keep what patients tell of their steroid tablets, with the check-in and in the medicine log."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.String(length=16)
_ONE_SOURCE = "(entered_by IS NULL) <> (told_by IS NULL)"


def upgrade() -> None:
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("steroid", sa.String(length=24), nullable=True))
    with op.batch_alter_table("medicine_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("told_by", sa.String(length=12), nullable=True))
        batch_op.alter_column("entered_by", existing_type=_ID, nullable=True)
        batch_op.create_check_constraint(op.f("ck_medicine_event_one_source"), _ONE_SOURCE)


def downgrade() -> None:
    """What patients told cannot be kept where every entry needs a member of staff."""
    op.execute(
        "DELETE FROM medicine_event WHERE told_by IS NULL AND voids_id IN "
        "(SELECT id FROM medicine_event WHERE told_by IS NOT NULL)"
    )
    op.execute("DELETE FROM medicine_event WHERE told_by IS NOT NULL")
    with op.batch_alter_table("medicine_event", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_medicine_event_one_source"), type_="check")
        batch_op.alter_column("entered_by", existing_type=_ID, nullable=False)
        batch_op.drop_column("told_by")
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.drop_column("steroid")
