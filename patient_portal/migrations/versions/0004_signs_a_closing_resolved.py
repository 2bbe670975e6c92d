"""Note which signs a closing outcome says are over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        alert.add_column(sa.Column("resolved", JSON, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        alert.drop_column("resolved")
