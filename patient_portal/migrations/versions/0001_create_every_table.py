"""Create every table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from patient_portal.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=True),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor_id", sa.String(length=16), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=16), nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_clinic_id"), ["clinic_id"], unique=False)
        batch_op.create_index("ix_audit_subject", ["subject_kind", "subject_id"], unique=False)

    op.create_table(
        "clinic",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("line", sa.String(length=20), nullable=False),
        sa.Column("staffed_from", sa.Time(), nullable=False),
        sa.Column("staffed_until", sa.Time(), nullable=False),
        sa.Column("uk_lines", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
    )
    op.create_table(
        "clock_shift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_shift")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("worker", sa.String(length=40), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "inbound_text",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("gateway_id", sa.String(length=40), nullable=False),
        sa.Column("from_number", sa.String(length=20), nullable=False),
        sa.Column("body", sa.String(length=1600), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("handled_as", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_text")),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_inbound_text_gateway_id")),
    )
    with op.batch_alter_table("inbound_text", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_inbound_text_from_number"), ["from_number"], unique=False
        )

    op.create_table(
        "rate_window",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_window")),
    )
    op.create_table(
        "caregiver",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("first_name", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_caregiver_clinic_id_clinic")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caregiver")),
    )
    with op.batch_alter_table("caregiver", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_caregiver_phone"), ["phone"], unique=False)

    op.create_table(
        "patient",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("first_name", sa.String(length=60), nullable=False),
        sa.Column("last_name", sa.String(length=60), nullable=False),
        sa.Column("birth_year", sa.Integer(), nullable=False),
        sa.Column("record_number", sa.String(length=30), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("drug", sa.String(length=24), nullable=False),
        sa.Column("partners", JSON, nullable=False),
        sa.Column("first_dose_on", sa.Date(), nullable=True),
        sa.Column("baseline_weight", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column("baseline_weight_unit", sa.String(length=2), nullable=True),
        sa.Column("usual", JSON, nullable=False),
        sa.Column("temperature_unit", sa.String(length=1), nullable=False),
        sa.Column("weight_unit", sa.String(length=2), nullable=False),
        sa.Column("has_scale", sa.Boolean(), nullable=False),
        sa.Column("has_thermometer", sa.Boolean(), nullable=False),
        sa.Column("reminder_at", sa.Time(), nullable=False),
        sa.Column("reminder_due_at", UtcDateTime(), nullable=True),
        sa.Column("invited_at", UtcDateTime(), nullable=True),
        sa.Column("enrolled_at", UtcDateTime(), nullable=True),
        sa.Column("consent_version", sa.String(length=20), nullable=True),
        sa.Column("texts_stopped_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_patient_clinic_id_clinic")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
    )
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patient_clinic_id"), ["clinic_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_patient_phone"), ["phone"], unique=False)
        batch_op.create_index("ix_patient_reminder", ["reminder_due_at"], unique=False)

    op.create_table(
        "staff_member",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "nurse",
                "physician",
                "lead",
                "administrator",
                "auditor",
                name="role",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_staff_member_clinic_id_clinic")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_member")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_member_email")),
    )
    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_member_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "alert",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("ref", sa.String(length=5), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "taken", "closed", name="alertstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("protocol", sa.String(length=20), nullable=False),
        sa.Column("inputs", JSON, nullable=False),
        sa.Column("phone_recognised", sa.Boolean(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("ladder_started_at", UtcDateTime(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("next_action_at", UtcDateTime(), nullable=True),
        sa.Column("taken_at", UtcDateTime(), nullable=True),
        sa.Column("taken_by", sa.String(length=16), nullable=True),
        sa.Column("contacted_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=16), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("useful", sa.Boolean(), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.Column("recheck_at", UtcDateTime(), nullable=True),
        sa.Column("previous_id", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_alert_clinic_id_clinic")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["staff_member.id"], name=op.f("fk_alert_closed_by_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_alert_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"], ["alert.id"], name=op.f("fk_alert_previous_id_alert")
        ),
        sa.ForeignKeyConstraint(
            ["taken_by"], ["staff_member.id"], name=op.f("fk_alert_taken_by_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("ref", name=op.f("uq_alert_ref")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index("ix_alert_clinic_state", ["clinic_id", "state"], unique=False)
        batch_op.create_index("ix_alert_next_action", ["next_action_at"], unique=False)
        batch_op.create_index("ix_alert_patient", ["patient_id", "opened_at"], unique=False)
        batch_op.create_index(
            "uq_alert_one_open",
            ["patient_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )

    op.create_table(
        "caregiver_grant",
        sa.Column("caregiver_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["caregiver_id"],
            ["caregiver.id"],
            name=op.f("fk_caregiver_grant_caregiver_id_caregiver"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_caregiver_grant_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("caregiver_id", "patient_id", name=op.f("pk_caregiver_grant")),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("caregiver_id", sa.String(length=16), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregiver.id"], name=op.f("fk_device_caregiver_id_caregiver")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_device_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_device_token_hash")),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_caregiver_id"), ["caregiver_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_device_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "link",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("invite", "daily", name="linkkind", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("for_date", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_link_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_link_token_hash")),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "medicine_event",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "started",
                "stopped",
                "restarted",
                "steroid_started",
                "steroid_reduced",
                "steroid_stopped",
                "syndrome",
                "taken_back",
                name="medicinekind",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("voids_id", sa.String(length=16), nullable=True),
        sa.Column("entered_by", sa.String(length=16), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entered_by"],
            ["staff_member.id"],
            name=op.f("fk_medicine_event_entered_by_staff_member"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_medicine_event_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["voids_id"],
            ["medicine_event.id"],
            name=op.f("fk_medicine_event_voids_id_medicine_event"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medicine_event")),
        sa.UniqueConstraint("voids_id", name=op.f("uq_medicine_event_voids_id")),
    )
    with op.batch_alter_table("medicine_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_medicine_event_patient_id"), ["patient_id"], unique=False
        )

    op.create_table(
        "on_call",
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column(
            "position",
            sa.Enum(
                "nurse",
                "backup",
                "physician",
                "lead",
                name="position",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("staff_id", sa.String(length=16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_on_call_clinic_id_clinic")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_on_call_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "position", "staff_id", name=op.f("pk_on_call")),
    )
    op.create_table(
        "override",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column(
            "what",
            sa.Enum(
                "fever_line",
                "on_steroid",
                "window_last_day",
                "usual",
                "baseline",
                name="overridekind",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("value", JSON, nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(length=16), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=16), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["staff_member.id"], name=op.f("fk_override_approved_by_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["staff_member.id"], name=op.f("fk_override_ended_by_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_override_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["set_by"], ["staff_member.id"], name=op.f("fk_override_set_by_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override")),
    )
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_override_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "sign_in_code",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("caregiver_id", sa.String(length=16), nullable=True),
        sa.Column("number_key", sa.String(length=64), nullable=False),
        sa.Column("challenge_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregiver.id"], name=op.f("fk_sign_in_code_caregiver_id_caregiver")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_sign_in_code_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_code")),
        sa.UniqueConstraint("challenge_hash", name=op.f("uq_sign_in_code_challenge_hash")),
    )
    with op.batch_alter_table("sign_in_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sign_in_code_caregiver_id"), ["caregiver_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_sign_in_code_number_key"), ["number_key"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_sign_in_code_patient_id"), ["patient_id"], unique=False
        )

    op.create_table(
        "staff_session",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("staff_id", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("factors", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_staff_session_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_session_token_hash")),
    )
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_session_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "check_in",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=False),
        sa.Column("form_key", sa.String(length=32), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "sent", "partial", name="checkinstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("reporter", sa.String(length=12), nullable=False),
        sa.Column("reporter_id", sa.String(length=16), nullable=True),
        sa.Column("phone_recognised", sa.Boolean(), nullable=False),
        sa.Column("drug", sa.String(length=24), nullable=False),
        sa.Column("day_of_therapy", sa.Integer(), nullable=True),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("progress", JSON, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("protocol", sa.String(length=20), nullable=False),
        sa.Column("alert_id", sa.String(length=16), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("read_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_check_in_alert_id_alert")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_check_in_clinic_id_clinic")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_check_in_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["read_by"], ["staff_member.id"], name=op.f("fk_check_in_read_by_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
        sa.UniqueConstraint("patient_id", "form_key", name="uq_check_in_patient_form"),
    )
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_in_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index("ix_check_in_clinic_date", ["clinic_id", "local_date"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_form_key"), ["form_key"], unique=False)
        batch_op.create_index(
            "ix_check_in_patient_date", ["patient_id", "local_date"], unique=False
        )
        batch_op.create_index(
            "ix_check_in_unsent",
            ["local_date"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "message",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("clinic_id", sa.String(length=16), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "staff_alert",
                "staff_worse",
                "call_now",
                "invite",
                "code",
                "reminder",
                "reply",
                name="messagekind",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "lane",
            sa.Enum("alert", "patient", "reminder", name="lane", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("to_number", sa.String(length=20), nullable=False),
        sa.Column("patient_id", sa.String(length=16), nullable=True),
        sa.Column("staff_id", sa.String(length=16), nullable=True),
        sa.Column("alert_id", sa.String(length=16), nullable=True),
        sa.Column("body", sa.String(length=700), nullable=False),
        sa.Column("secret_of", sa.String(length=24), nullable=True),
        sa.Column("once_key", sa.String(length=120), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "due",
                "sending",
                "accepted",
                "sent",
                "delivered",
                "undelivered",
                "failed",
                "expired",
                name="messagestate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease_by", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("gateway_id", sa.String(length=40), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_message_alert_id_alert")),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_message_clinic_id_clinic")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_message_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_message_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("once_key", name=op.f("uq_message_once_key")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index("ix_message_due", ["lane", "state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_gateway_id"), ["gateway_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index("ix_message_to", ["to_number", "created_at"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("check_in_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.String(length=24), nullable=False),
        sa.Column("given", JSON, nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_in_id"], ["check_in.id"], name=op.f("fk_answer_check_in_id_check_in")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("check_in_id", "number", name="uq_answer_number"),
    )


def downgrade() -> None:
    op.drop_table("answer")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_to")
        batch_op.drop_index(batch_op.f("ix_message_patient_id"))
        batch_op.drop_index(batch_op.f("ix_message_gateway_id"))
        batch_op.drop_index("ix_message_due")
        batch_op.drop_index(batch_op.f("ix_message_alert_id"))

    op.drop_table("message")
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_check_in_unsent",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index("ix_check_in_patient_date")
        batch_op.drop_index(batch_op.f("ix_check_in_form_key"))
        batch_op.drop_index("ix_check_in_clinic_date")
        batch_op.drop_index(batch_op.f("ix_check_in_alert_id"))

    op.drop_table("check_in")
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_session_staff_id"))

    op.drop_table("staff_session")
    with op.batch_alter_table("sign_in_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_code_patient_id"))
        batch_op.drop_index(batch_op.f("ix_sign_in_code_number_key"))
        batch_op.drop_index(batch_op.f("ix_sign_in_code_caregiver_id"))

    op.drop_table("sign_in_code")
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_override_patient_id"))

    op.drop_table("override")
    op.drop_table("on_call")
    with op.batch_alter_table("medicine_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_medicine_event_patient_id"))

    op.drop_table("medicine_event")
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_patient_id"))

    op.drop_table("link")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_patient_id"))
        batch_op.drop_index(batch_op.f("ix_device_caregiver_id"))

    op.drop_table("device")
    op.drop_table("caregiver_grant")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alert_one_open",
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )
        batch_op.drop_index("ix_alert_patient")
        batch_op.drop_index("ix_alert_next_action")
        batch_op.drop_index("ix_alert_clinic_state")

    op.drop_table("alert")
    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_member_clinic_id"))

    op.drop_table("staff_member")
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.drop_index("ix_patient_reminder")
        batch_op.drop_index(batch_op.f("ix_patient_phone"))
        batch_op.drop_index(batch_op.f("ix_patient_clinic_id"))

    op.drop_table("patient")
    with op.batch_alter_table("caregiver", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_caregiver_phone"))

    op.drop_table("caregiver")
    op.drop_table("rate_window")
    with op.batch_alter_table("inbound_text", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbound_text_from_number"))

    op.drop_table("inbound_text")
    op.drop_table("heartbeat")
    op.drop_table("clock_shift")
    op.drop_table("clinic")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_subject")
        batch_op.drop_index(batch_op.f("ix_audit_entry_clinic_id"))

    op.drop_table("audit_entry")
