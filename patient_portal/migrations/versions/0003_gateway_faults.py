"""What is wrong with the gateway as a whole, a row a kind of fault."""

import sqlalchemy as sa
from alembic import op

from patient_portal.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of faults."""
    op.create_table(
        "gateway_fault",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("rest_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("kind", name="pk_gateway_fault"),
    )


def downgrade() -> None:
    """Forget the faults; they are met again."""
    op.drop_table("gateway_fault")
