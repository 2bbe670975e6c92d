"""What of a rota was told already, so that it is told once."""

import sqlalchemy as sa
from alembic import op

from patient_portal.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of notices."""
    op.create_table(
        "rota_notice",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("occasion", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_rota_notice_clinic_id_clinic"),
        sa.PrimaryKeyConstraint("id", name="pk_rota_notice"),
    )
    op.create_index("ix_rota_notice_clinic_id", "rota_notice", ["clinic_id"])


def downgrade() -> None:
    """Forget the notices; they are told once more."""
    op.drop_index("ix_rota_notice_clinic_id", table_name="rota_notice")
    op.drop_table("rota_notice")
