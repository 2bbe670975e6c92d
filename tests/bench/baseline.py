"""The plain app that the portal is measured against.

Flask, the SQLAlchemy ORM and Flask-WTF as their own tutorials teach them, storing the same rows
for a red answer: check-in, answer, alert and a text for each of two people on call. It has no
audit log, no idempotency, no languages and no triage beyond one comparison.
"""

import os
import secrets
from datetime import UTC, datetime
from typing import Any

from flask import Flask, abort, redirect, render_template, url_for
from flask_wtf import FlaskForm
from sqlalchemy import JSON, DateTime, ForeignKey, String, create_engine, event, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    joinedload,
    mapped_column,
    relationship,
    sessionmaker,
)
from werkzeug.wrappers import Response
from wtforms import DecimalField, RadioField, SelectField, SelectMultipleField, SubmitField
from wtforms.validators import InputRequired, NumberRange, Optional

RED_FLAGS = [
    ("very_hard_to_breathe", "Very hard to breathe"),
    ("chest_pain", "Chest pain or a tight chest"),
    ("blue_lips", "Blue or gray lips or face"),
    ("fainted_seizure_confused", "Passed out, a seizure, or confused"),
    ("weak_side_or_worst_headache", "Weak on one side, or the worst headache ever"),
    ("bleeding_or_coughing_blood", "Bleeding that will not stop, or coughing up blood"),
]
GRADES = [("none", "No"), ("mild", "A little"), ("moderate", "Some"), ("severe", "A lot")]
ON_CALL = ("+12125550142", "+12125550143")


class Base(DeclarativeBase):
    """The plain app's tables."""


class Patient(Base):
    """A patient, found by the token of their phone."""

    __tablename__ = "patient"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(40), unique=True)
    clinic: Mapped[int] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(60))
    birth_year: Mapped[int]
    drug: Mapped[str] = mapped_column(String(24))
    language: Mapped[str] = mapped_column(String(12))
    phone: Mapped[str] = mapped_column(String(20))


class CheckIn(Base):
    """One form."""

    __tablename__ = "check_in"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    level: Mapped[str] = mapped_column(String(12))
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    patient: Mapped[Patient] = relationship()


class Answer(Base):
    """What was typed, kept beside the check-in."""

    __tablename__ = "answer"
    id: Mapped[int] = mapped_column(primary_key=True)
    check_in_id: Mapped[int] = mapped_column(ForeignKey("check_in.id"), index=True)
    given: Mapped[dict[str, Any]] = mapped_column(JSON)
    check_in: Mapped[CheckIn] = relationship()


class Alert(Base):
    """A red check-in's alert."""

    __tablename__ = "alert"
    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(8), unique=True)
    clinic: Mapped[int] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(String(12))
    check_in_id: Mapped[int] = mapped_column(ForeignKey("check_in.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    check_in: Mapped[CheckIn] = relationship()
    messages: Mapped[list["Message"]] = relationship(back_populates="alert")


class Message(Base):
    """A text to be sent."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    to_number: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(String(320))
    state: Mapped[str] = mapped_column(String(12))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    alert: Mapped[Alert] = relationship(back_populates="messages")


class StepForm(FlaskForm):
    """The first screen alone."""

    red_flags = SelectMultipleField(
        "Do you have any of these right now?",
        choices=[*RED_FLAGS, ("none", "No, none of these")],
        validators=[InputRequired()],
    )
    submit = SubmitField("Send")


class CheckInForm(StepForm):
    """A whole check-in on one page, twelve fields."""

    breathlessness = RadioField("How is your breathing?", choices=GRADES, validators=[Optional()])
    swelling = RadioField("Is any part of you swollen?", choices=GRADES, validators=[Optional()])
    cough = RadioField("Do you cough?", choices=GRADES, validators=[Optional()])
    dizziness = RadioField("Are you dizzy?", choices=GRADES, validators=[Optional()])
    urine = RadioField("Are you peeing less?", choices=GRADES, validators=[Optional()])
    bone_pain = RadioField("Do your bones hurt?", choices=GRADES, validators=[Optional()])
    rash = RadioField("Do you have a rash?", choices=GRADES, validators=[Optional()])
    bleeding = RadioField("Do you bleed?", choices=GRADES, validators=[Optional()])
    temperature = DecimalField("Temperature", validators=[Optional(), NumberRange(34, 43)])
    temperature_unit = SelectField("Unit", choices=[("c", "°C"), ("f", "°F")])
    weight = DecimalField("Weight", validators=[Optional(), NumberRange(25, 300)])


def build() -> Flask:
    """The plain app over the SQLite file named by BENCH_DATABASE."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a bench keeps no secrets, it only signs its own forms"
    engine = create_engine(f"sqlite:///{os.environ['BENCH_DATABASE']}")
    event.listen(engine, "connect", _durable)
    sessions = sessionmaker(engine, expire_on_commit=False)

    def page(token: str, form: StepForm, template: str) -> Response | str:
        with sessions() as session:
            patient = session.scalars(select(Patient).where(Patient.token == token)).first()
            if patient is None:
                abort(404)
            if form.validate_on_submit():  # type: ignore[no-untyped-call]
                session.add_all(_rows(patient, form))
                session.commit()
                return redirect(url_for("done"), 303)
            return render_template(template, form=form, patient=patient)

    @app.route("/check-in/<token>", methods=["GET", "POST"])
    def whole(token: str) -> Response | str:
        return page(token, CheckInForm(), "form.html")  # type: ignore[no-untyped-call]

    @app.route("/step/<token>", methods=["GET", "POST"])
    def step(token: str) -> Response | str:
        return page(token, StepForm(), "step.html")  # type: ignore[no-untyped-call]

    @app.get("/done")
    def done() -> str:
        return "saved"

    @app.get("/inbox/<int:clinic>")
    def inbox(clinic: int) -> str:
        query = (
            select(Alert)
            .where(Alert.clinic == clinic, Alert.state != "closed")
            .options(
                joinedload(Alert.check_in).joinedload(CheckIn.patient),
                joinedload(Alert.messages),
            )
            .order_by(Alert.level, Alert.opened_at)
        )
        with sessions() as session:
            alerts = session.scalars(query).unique().all()
            return render_template("inbox.html", alerts=alerts, now=datetime.now(UTC))

    return app


def _rows(patient: Patient, form: StepForm) -> list[Base]:
    now = datetime.now(UTC)
    given = {
        field.name: str(field.data) if field.name in {"temperature", "weight"} else field.data
        for field in form
        if field.name not in {"csrf_token", "submit"}
    }
    is_red = form.red_flags.data != ["none"]
    level = "emergency" if is_red else "none"
    check_in = CheckIn(patient_id=patient.id, level=level, answers=given, created_at=now)
    answer = Answer(check_in=check_in, given=given)
    if not is_red:
        return [check_in, answer]
    alert = Alert(
        ref=secrets.token_hex(4), clinic=patient.clinic, state="open", level=level,
        check_in=check_in, opened_at=now,
    )  # fmt: skip
    for number in ON_CALL:
        alert.messages.append(
            Message(
                to_number=number,
                state="due",
                due_at=now,
                body=f"Maple Clinic: ALERT {alert.ref}, EMERGENCY level, new. Open and take it.",
            )
        )
    return [check_in, answer, alert]


def _durable(connection: Any, _record: object) -> None:
    # As durable as the portal: a commit is on disk before the answer goes out.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def fill(path: str, tokens: list[str], inbox_rows: int) -> None:
    """Make the tables, a patient for each token, and a clinic (2) with open alerts."""
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _durable)
    Base.metadata.create_all(engine)
    now = datetime.now(UTC)
    with sessionmaker(engine)() as session:
        session.add_all(
            Patient(
                token=token,
                clinic=1,
                name="Rosa",
                birth_year=1959,
                drug="atra_ato",
                language="en",
                phone=f"+1212{5550000 + number:07d}",
            )
            for number, token in enumerate(tokens)
        )
        for number in range(inbox_rows):
            patient = Patient(
                token=f"inbox{number}", clinic=2, name=f"Person {number}", birth_year=1960,
                drug="enasidenib", language="en", phone=f"+1212{5560000 + number:07d}",
            )  # fmt: skip
            check_in = CheckIn(
                patient=patient, level="urgent", answers={"swelling": "worse"}, created_at=now
            )
            alert = Alert(
                ref=f"A{number}", clinic=2, state="open", level="urgent", check_in=check_in,
                opened_at=now,
            )  # fmt: skip
            alert.messages.append(
                Message(to_number=ON_CALL[0], body="text", state="delivered", due_at=now)
            )
            session.add(alert)
        session.commit()
    engine.dispose()
