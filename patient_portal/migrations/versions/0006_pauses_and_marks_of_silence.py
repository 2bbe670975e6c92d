"""Let a patient be paused, and keep what was done about silence."""

import sqlalchemy as sa
from alembic import op

from patient_portal.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CODE = sa.String(length=24)
_COLUMNS = (
    ("paused_from", sa.Date()),
    ("paused_until", sa.Date()),
    ("pause_reason", _CODE),
    ("resumed_at", UtcDateTime()),
    ("free_until", sa.Date()),
)


def upgrade() -> None:
    with op.batch_alter_table("patient", schema=None) as batch_op:
        for name, kind in _COLUMNS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    op.create_table(
        "silence_mark",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("kind", _CODE, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("alert_id", sa.String(length=16), nullable=True),
        sa.Column("staff_id", sa.String(length=16), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_silence_mark_clinic_id_clinic")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_silence_mark_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_silence_mark_alert_id_alert")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_silence_mark_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence_mark")),
        sa.UniqueConstraint("patient_id", "since", "kind", "level", name="uq_silence_mark_run"),
    )


def downgrade() -> None:
    op.drop_table("silence_mark")
    with op.batch_alter_table("patient", schema=None) as batch_op:
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)
