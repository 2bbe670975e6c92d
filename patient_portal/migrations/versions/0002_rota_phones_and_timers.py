"""Rota of shifts, two phones a person, the ladder's timers, drills and inbound texts' owners."""

from datetime import date, time

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from patient_portal.database import UtcDateTime, new_id

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table('shift',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('clinic_id', sa.String(length=16), nullable=False),
    sa.Column('position', sa.Enum('nurse', 'backup', 'physician', 'lead', name='position', native_enum=False, length=24), nullable=False),
    sa.Column('staff_id', sa.String(length=16), nullable=False),
    sa.Column('weekday', sa.SmallInteger(), nullable=False),
    sa.Column('starts', sa.Time(), nullable=False),
    sa.Column('ends', sa.Time(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('made_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_shift_clinic_id_clinic')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_shift_staff_id_staff_member')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shift'))
    )
    with op.batch_alter_table('shift', schema=None) as batch_op:
        batch_op.create_index('ix_shift_clinic', ['clinic_id'], unique=False)

    op.create_table('shift_change',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('clinic_id', sa.String(length=16), nullable=False),
    sa.Column('position', sa.Enum('nurse', 'backup', 'physician', 'lead', name='position', native_enum=False, length=24), nullable=False),
    sa.Column('kind', sa.Enum('add', 'replace', 'remove', name='changekind', native_enum=False, length=24), nullable=False),
    sa.Column('staff_id', sa.String(length=16), nullable=False),
    sa.Column('starts_local', sa.DateTime(), nullable=False),
    sa.Column('ends_local', sa.DateTime(), nullable=False),
    sa.Column('made_by', sa.String(length=16), nullable=True),
    sa.Column('made_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_shift_change_clinic_id_clinic')),
    sa.ForeignKeyConstraint(['made_by'], ['staff_member.id'], name=op.f('fk_shift_change_made_by_staff_member')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_shift_change_staff_id_staff_member')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shift_change'))
    )
    with op.batch_alter_table('shift_change', schema=None) as batch_op:
        batch_op.create_index('ix_shift_change_clinic', ['clinic_id', 'ends_local'], unique=False)

    op.create_table('staff_phone',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('staff_id', sa.String(length=16), nullable=False),
    sa.Column('rank', sa.SmallInteger(), nullable=False),
    sa.Column('number', sa.String(length=20), nullable=False),
    sa.Column('verified_at', UtcDateTime(), nullable=True),
    sa.Column('stopped_at', UtcDateTime(), nullable=True),
    sa.Column('bad_at', UtcDateTime(), nullable=True),
    sa.Column('bad_code', sa.String(length=10), nullable=True),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_staff_phone_staff_id_staff_member')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_phone'))
    )
    with op.batch_alter_table('staff_phone', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_phone_number'), ['number'], unique=False)
        batch_op.create_index('uq_staff_phone_rank', ['staff_id', 'rank'], unique=True)

    op.create_table('drill',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('clinic_id', sa.String(length=16), nullable=False),
    sa.Column('alert_id', sa.String(length=16), nullable=True),
    sa.Column('asked_by', sa.String(length=16), nullable=True),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('accepted_at', UtcDateTime(), nullable=True),
    sa.Column('delivered_at', UtcDateTime(), nullable=True),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], name=op.f('fk_drill_alert_id_alert')),
    sa.ForeignKeyConstraint(['asked_by'], ['staff_member.id'], name=op.f('fk_drill_asked_by_staff_member')),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_drill_clinic_id_clinic')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drill'))
    )
    with op.batch_alter_table('drill', schema=None) as batch_op:
        batch_op.create_index('ix_drill_clinic', ['clinic_id', 'started_at'], unique=False)

    op.create_table('duty_check',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('ref', sa.String(length=5), nullable=False),
    sa.Column('clinic_id', sa.String(length=16), nullable=False),
    sa.Column('staff_id', sa.String(length=16), nullable=False),
    sa.Column('phone_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.Enum('test', 'handover', 'weekly', name='checkkind', native_enum=False, length=24), nullable=False),
    sa.Column('position', sa.Enum('nurse', 'backup', 'physician', 'lead', name='position', native_enum=False, length=24), nullable=True),
    sa.Column('turn_starts_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('lead_told_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['clinic_id'], ['clinic.id'], name=op.f('fk_duty_check_clinic_id_clinic')),
    sa.ForeignKeyConstraint(['phone_id'], ['staff_phone.id'], name=op.f('fk_duty_check_phone_id_staff_phone')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_duty_check_staff_id_staff_member')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_check')),
    sa.UniqueConstraint('ref', name=op.f('uq_duty_check_ref'))
    )
    with op.batch_alter_table('duty_check', schema=None) as batch_op:
        batch_op.create_index('ix_duty_check_staff', ['staff_id', 'created_at'], unique=False)

    _keep_phones_and_duties()
    op.drop_table("on_call")
    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        batch_op.drop_column("phone")
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('round', sa.SmallInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('step_started_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('repaged_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('lead_told_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('patient_told_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('is_test', sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table('clinic', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ladder', JSON, nullable=True))
        batch_op.add_column(sa.Column('catch_all', sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column('cover_confirmed_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('cover_confirmed_by', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('live_at', UtcDateTime(), nullable=True))

    with op.batch_alter_table('heartbeat', schema=None) as batch_op:
        batch_op.add_column(sa.Column('note', sa.String(length=40), nullable=True))

    with op.batch_alter_table('inbound_text', schema=None) as batch_op:
        batch_op.add_column(sa.Column('clinic_id', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('patient_id', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('caregiver_id', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('staff_id', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('alert_id', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('read_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('read_by', sa.String(length=16), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_inbound_text_read_by_staff_member'), 'staff_member', ['read_by'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_inbound_text_patient_id_patient'), 'patient', ['patient_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_inbound_text_staff_id_staff_member'), 'staff_member', ['staff_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_inbound_text_caregiver_id_caregiver'), 'caregiver', ['caregiver_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_inbound_text_clinic_id_clinic'), 'clinic', ['clinic_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_inbound_text_alert_id_alert'), 'alert', ['alert_id'], ['id'])

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('phone_id', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('step', sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column('round', sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column('carried_by', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('checked_at', UtcDateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_message_carried_by'), ['carried_by'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_message_carried_by_message'), 'message', ['carried_by'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_message_phone_id_staff_phone'), 'staff_phone', ['phone_id'], ['id'])



def _keep_phones_and_duties() -> None:
    """A number becomes the person's first phone; a standing duty a turn of each day of the week.

    What was texted until now goes on being texted: the phones count as verified.
    """
    db = op.get_bind()
    people = db.execute(
        sa.text("SELECT id, phone, created_at FROM staff_member WHERE phone IS NOT NULL").columns(
            created_at=UtcDateTime()
        )
    ).all()
    phones = sa.table(
        "staff_phone", sa.column("id"), sa.column("staff_id"), sa.column("rank"),
        sa.column("number"), sa.column("verified_at", UtcDateTime()),
        sa.column("added_at", UtcDateTime()),
    )  # fmt: skip
    for row in people:
        db.execute(
            phones.insert().values(
                id=new_id(), staff_id=row.id, rank=1, number=row.phone,
                verified_at=row.created_at, added_at=row.created_at,
            )
        )  # fmt: skip
    shifts = sa.table(
        "shift", sa.column("id"), sa.column("clinic_id"), sa.column("position"),
        sa.column("staff_id"), sa.column("weekday"), sa.column("starts", sa.Time()),
        sa.column("ends", sa.Time()), sa.column("valid_from", sa.Date()),
        sa.column("made_at", UtcDateTime()),
    )  # fmt: skip
    duties = db.execute(
        sa.text("SELECT clinic_id, position, staff_id, since FROM on_call").columns(
            since=UtcDateTime()
        )
    ).all()
    for row in duties:
        for weekday in range(7):
            db.execute(
                shifts.insert().values(
                    id=new_id(), clinic_id=row.clinic_id, position=row.position,
                    staff_id=row.staff_id, weekday=weekday, starts=time(0), ends=time(0),
                    valid_from=date(2000, 1, 1), made_at=row.since,
                )
            )  # fmt: skip


def downgrade() -> None:
    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        batch_op.add_column(sa.Column("phone", sa.String(length=20), nullable=True))
    op.execute(
        "UPDATE staff_member SET phone = (SELECT number FROM staff_phone "
        "WHERE staff_phone.staff_id = staff_member.id AND rank = 1)"
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_message_phone_id_staff_phone'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_message_carried_by_message'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_message_carried_by'))
        batch_op.drop_column('checked_at')
        batch_op.drop_column('carried_by')
        batch_op.drop_column('round')
        batch_op.drop_column('step')
        batch_op.drop_column('phone_id')

    with op.batch_alter_table('inbound_text', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_inbound_text_alert_id_alert'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_inbound_text_clinic_id_clinic'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_inbound_text_caregiver_id_caregiver'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_inbound_text_staff_id_staff_member'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_inbound_text_patient_id_patient'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_inbound_text_read_by_staff_member'), type_='foreignkey')
        batch_op.drop_column('read_by')
        batch_op.drop_column('read_at')
        batch_op.drop_column('alert_id')
        batch_op.drop_column('staff_id')
        batch_op.drop_column('caregiver_id')
        batch_op.drop_column('patient_id')
        batch_op.drop_column('clinic_id')

    with op.batch_alter_table('heartbeat', schema=None) as batch_op:
        batch_op.drop_column('note')

    with op.batch_alter_table('clinic', schema=None) as batch_op:
        batch_op.drop_column('live_at')
        batch_op.drop_column('cover_confirmed_by')
        batch_op.drop_column('cover_confirmed_at')
        batch_op.drop_column('catch_all')
        batch_op.drop_column('ladder')

    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.drop_column('is_test')
        batch_op.drop_column('patient_told_at')
        batch_op.drop_column('lead_told_at')
        batch_op.drop_column('repaged_at')
        batch_op.drop_column('step_started_at')
        batch_op.drop_column('round')

    op.create_table(
        "on_call",
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.String(length=24), nullable=False),
        sa.Column("staff_id", sa.String(length=16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_on_call_clinic_id_clinic"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name="fk_on_call_staff_id_staff_member"
        ),
        sa.PrimaryKeyConstraint("clinic_id", "position", "staff_id", name="pk_on_call"),
    )
    op.execute(
        "INSERT INTO on_call (clinic_id, position, staff_id, since) "
        "SELECT clinic_id, position, staff_id, min(made_at) FROM shift "
        "GROUP BY clinic_id, position, staff_id"
    )
    with op.batch_alter_table('duty_check', schema=None) as batch_op:
        batch_op.drop_index('ix_duty_check_staff')

    op.drop_table('duty_check')
    with op.batch_alter_table('drill', schema=None) as batch_op:
        batch_op.drop_index('ix_drill_clinic')

    op.drop_table('drill')
    with op.batch_alter_table('staff_phone', schema=None) as batch_op:
        batch_op.drop_index('uq_staff_phone_rank')
        batch_op.drop_index(batch_op.f('ix_staff_phone_number'))

    op.drop_table('staff_phone')
    with op.batch_alter_table('shift_change', schema=None) as batch_op:
        batch_op.drop_index('ix_shift_change_clinic')

    op.drop_table('shift_change')
    with op.batch_alter_table('shift', schema=None) as batch_op:
        batch_op.drop_index('ix_shift_clinic')

    op.drop_table('shift')
