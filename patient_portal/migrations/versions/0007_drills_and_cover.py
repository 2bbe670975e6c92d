"""A test patient for each clinic's drills, and the night on which its line was rung.

Clinics that exist already have patients, so they count as live; their cover is still to be
confirmed, and the pages say so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_test", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("clinic", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cover_rung_on", sa.Date(), nullable=True))
    op.execute("UPDATE clinic SET live_at = created_at WHERE live_at IS NULL")


def downgrade() -> None:
    with op.batch_alter_table("clinic", schema=None) as batch_op:
        batch_op.drop_column("cover_rung_on")
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.drop_column("is_test")
