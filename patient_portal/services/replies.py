"""Texts of the care team: an alert is taken or passed on by its reference, and by nothing less.

A number can be forged, so it alone takes nothing: the text must name the reference, which only
those who were texted know, and come from a tested number of one of them. Closing needs sign-in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.domain.escalation import CONTACT_WITHIN, AlertState, NotAllowed
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.replies import Meaning, Reply, read_reply
from patient_portal.domain.schedule import readable_zone
from patient_portal.models import (
    Alert,
    Clinic,
    DutyCheck,
    InboundText,
    Message,
    MessageKind,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import alerts, answering, duty
from patient_portal.services.audit import Actor, record
from patient_portal.services.leads import text_leads
from patient_portal.services.site import Site
from patient_portal.sms import reply_texts, texts
from patient_portal.words import Words, format_datetime, format_time

# Texts that put a person on an alert's ladder; being told that it is over does not.
PAGES = (
    MessageKind.STAFF_ALERT, MessageKind.STAFF_WORSE, MessageKind.STAFF_REPAGE,
    MessageKind.STAFF_BUNDLE,
)  # fmt: skip
WRONG = "wrong_ref"
MOST_WRONG = 3  # more than this from one number
WRONG_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Owner:
    """Somebody of the care team, and the phone that the text came from."""

    person: StaffMember
    phone: StaffPhone


@dataclass(frozen=True)
class _Talk:
    """One text, who may have sent it, and how to answer."""

    session: Session
    site: Site
    row: InboundText
    owners: Sequence[Owner]
    clinic: Clinic
    now: datetime

    @property
    def words(self) -> Words:
        return Words(self.clinic.language)

    @property
    def inbox(self) -> str:
        return f"{self.site.base_url}/staff/inbox"

    def page(self, alert: Alert) -> str:
        return f"{self.site.base_url}/staff/alerts/{alert.ref}"

    def time(self, moment: datetime) -> str:
        """A moment on the clinic's clock; with the day where it is another."""
        zone = ZoneInfo(readable_zone(self.clinic.zone))
        same_day = moment.astimezone(zone).date() == self.now.astimezone(zone).date()
        write = format_time if same_day else format_datetime
        return write(moment, zone, self.clinic.language, self.clinic.country)

    def answer(self, body: str) -> None:
        answering.staff(self.session, self.row, body, self.now)

    def shrug(self, body: str, handled_as: str) -> str:
        """An answer to what cannot be acted on; after five in a row only the inbox notes it."""
        if answering.is_loop(self.session, self.row, self.now):
            return "looping"
        self.answer(body)
        return handled_as


def owners_of(session: Session, number: str) -> list[Owner]:
    """The people of the care team who have this number. Two may share one by mistake."""
    rows = session.execute(
        select(StaffMember, StaffPhone)
        .join(StaffPhone, StaffPhone.staff_id == StaffMember.id)
        .where(StaffPhone.number == number, StaffMember.disabled_at.is_(None))
        .order_by(StaffPhone.added_at, StaffPhone.id)
    )
    return [Owner(person, phone) for person, phone in rows]


def act(
    session: Session, site: Site, row: InboundText, owners: Sequence[Owner], now: datetime
) -> str:
    """Do what the text asks for and answer; says what it was taken for.

    The text's row belongs to the first of the owners until the reference tells who wrote it.
    """
    first = owners[0].person
    row.staff_id, row.clinic_id = first.id, first.clinic_id
    clinic = session.get_one(Clinic, first.clinic_id)
    talk = _Talk(session, site, row, owners, clinic, now)
    reply = read_reply(row.body)
    refs = reply.refs or tuple(ref for ref in reply.maybe if _is_known(talk, ref))
    if not refs:
        return _without_reference(talk, reply)
    if len(refs) > 1:
        body = reply_texts.one_at_a_time(talk.words, refs=refs)
        return talk.shrug(body, "several")
    return _with_reference(talk, reply.meaning, refs[0])


def names_reference(body: str) -> bool:
    """Whether a text that may be a patient's too is one for this grammar."""
    reply = read_reply(body)
    return bool(reply.refs) or reply.meaning is Meaning.BARE


# ---- without a reference


def _without_reference(talk: _Talk, reply: Reply) -> str:
    waiting = _waiting(talk)
    bare = reply.meaning in (Meaning.BARE, Meaning.UNCLEAR)
    if waiting:
        body = reply_texts.which_one(talk.words, refs=waiting)
        return talk.shrug(body, "which" if bare else "not_understood")
    if bare:
        return talk.shrug(reply_texts.none_waits(talk.words, url=talk.inbox), "which")
    body = texts.not_understood(talk.words, clinic=talk.clinic.name, url=talk.inbox)
    return talk.shrug(body, "not_understood")


def _waiting(talk: _Talk) -> list[str]:
    """References of the open alerts that these people were texted about, the worst first."""
    people = [owner.person.id for owner in talk.owners]
    paged = select(Message.alert_id).where(Message.staff_id.in_(people), Message.kind.in_(PAGES))
    return list(
        talk.session.scalars(
            select(Alert.ref)
            .where(
                Alert.id.in_(paged),
                Alert.state == AlertState.OPEN,
            )
            .order_by(Alert.level.desc(), Alert.opened_at)
        )
    )


def _is_known(talk: _Talk, ref: str) -> bool:
    return bool(_on_ladder(talk, ref)[1]) or _is_check(talk, ref)


# ---- with one


def _with_reference(talk: _Talk, meaning: Meaning, ref: str) -> str:
    if _answers_check(talk, ref):
        return "duty_check"
    alert, paged = _on_ladder(talk, ref)
    if alert is None or not paged:
        return _wrong(talk, ref)
    # One phone may be known to two clinics: the reference tells which of them is meant.
    talk = replace(talk, clinic=talk.session.get_one(Clinic, alert.clinic_id))
    talk.row.clinic_id = alert.clinic_id
    # Locked before the text's row points to it: that alone would lock it a little, and of two who
    # do so neither could go on. Answer and act look at the alert as it stands under this lock.
    talk.session.refresh(alert, with_for_update=True)
    talk.row.alert_id = alert.id
    if len(paged) > 1:
        return talk.shrug(
            reply_texts.phone_shared(talk.words, url=talk.page(alert)), "phone_shared"
        )
    owner = paged[0]
    talk.row.staff_id = owner.person.id
    if owner.phone.verified_at is None:
        body = reply_texts.phone_not_tested(talk.words, url=talk.page(alert))
        return talk.shrug(body, "not_verified")
    if meaning is Meaning.CLOSE:
        return talk.shrug(
            reply_texts.close_on_page(talk.words, ref=ref, url=talk.page(alert)), "close_refused"
        )
    if meaning not in (Meaning.TAKE, Meaning.PASS_ON):
        return talk.shrug(reply_texts.say_it_plainly(talk.words, ref=ref), "unclear")
    return _settled(talk, alert, owner, meaning) or _do(talk, alert, owner, meaning)


def _on_ladder(talk: _Talk, ref: str) -> tuple[Alert | None, list[Owner]]:
    """The alert of this reference, and those of the phone's owners it was sent to."""
    clinics = [owner.person.clinic_id for owner in talk.owners]
    alert = talk.session.scalars(
        select(Alert).where(Alert.ref == ref, Alert.clinic_id.in_(clinics))
    ).first()
    if alert is None:
        return None, []
    people = set(
        talk.session.scalars(
            select(Message.staff_id).where(
                Message.alert_id == alert.id,
                Message.kind.in_(PAGES),
                Message.staff_id.in_([owner.person.id for owner in talk.owners]),
            )
        )
    )
    return alert, [owner for owner in talk.owners if owner.person.id in people]


def _settled(talk: _Talk, alert: Alert, owner: Owner, meaning: Meaning) -> str | None:
    """The honest answer where there is nothing left to do; None where there is."""
    if alert.state is AlertState.CLOSED:
        at = talk.time(alert.closed_at or talk.now)
        talk.answer(reply_texts.was_closed(talk.words, ref=alert.ref, at=at))
        return "was_closed"
    if alert.state is AlertState.OPEN or alert.taken_by is None or alert.taken_at is None:
        return None
    if alert.taken_by != owner.person.id:
        by = talk.session.get_one(StaffMember, alert.taken_by).name
        at = talk.time(alert.taken_at)
        talk.answer(reply_texts.was_taken(talk.words, ref=alert.ref, by=by, at=at))
        return "already_taken"
    if meaning is Meaning.PASS_ON:
        return None
    body = reply_texts.you_have_it_already(
        talk.words, ref=alert.ref, since=talk.time(alert.taken_at), url=talk.page(alert)
    )
    talk.answer(body)
    return "own_already"


def _do(talk: _Talk, alert: Alert, owner: Owner, meaning: Meaning) -> str:
    if meaning is Meaning.PASS_ON:
        try:
            alerts.pass_on(talk.session, alert, owner.person, talk.site, talk.now, by_text=True)
        except NotAllowed:
            body = reply_texts.cannot_pass_on(talk.words, ref=alert.ref, url=talk.page(alert))
            return talk.shrug(body, "not_possible")
        talk.answer(reply_texts.passed_on(talk.words, ref=alert.ref))
        return "passed_on"
    alerts.take(talk.session, alert, owner.person, talk.now, by_text=True)
    if alert.is_test:
        talk.answer(reply_texts.phone_works(talk.words))
        return "took"
    until = talk.now + CONTACT_WITHIN[TriageLevel(alert.level)]
    body = reply_texts.you_have_it(
        talk.words, ref=alert.ref, until=talk.time(until), url=talk.page(alert)
    )
    talk.answer(body)
    return "took"


# ---- a test, a hand-over, the weekly answer


def _is_check(talk: _Talk, ref: str) -> bool:
    people = [owner.person.id for owner in talk.owners]
    found = select(DutyCheck.id).where(DutyCheck.ref == ref, DutyCheck.staff_id.in_(people))
    return talk.session.scalars(found).first() is not None


def _answers_check(talk: _Talk, ref: str) -> bool:
    """Whether the reference is that of a check sent to one of these people, and answers it."""
    for owner in talk.owners:
        if duty.answer(talk.session, owner.phone, ref, talk.now) is not None:
            talk.row.staff_id = owner.person.id
            talk.answer(reply_texts.phone_works(talk.words))
            return True
    return False


# ---- a wrong one


def _wrong(talk: _Talk, ref: str) -> str:
    """Refuse, say the same whatever is wrong with it, and tell the lead if it goes on."""
    session, now = talk.session, talk.now
    earlier = session.execute(
        select(func.count()).where(
            InboundText.from_number == talk.row.from_number,
            InboundText.handled_as == WRONG,
            InboundText.received_at > now - WRONG_WITHIN,
        )
    ).scalar_one()
    if earlier >= MOST_WRONG:
        _alarm(talk)
    if not answering.is_loop(session, talk.row, now):
        talk.answer(reply_texts.not_yours(talk.words, ref=ref, url=talk.inbox))
    return WRONG


def _alarm(talk: _Talk) -> None:
    owner = talk.owners[0]
    person, now = owner.person, talk.now
    # Once in each stretch of ten minutes, however many texts come.
    stretch = int(now.timestamp() // WRONG_WITHIN.total_seconds())
    told = text_leads(
        talk.session, talk.clinic.id, f"wrong:{owner.phone.id}:{stretch}",
        lambda words, clinic: reply_texts.wrong_codes(
            words, clinic=clinic.name, name=person.name
        ),
        now, but_not=person.id,
    )  # fmt: skip
    record(
        talk.session, Actor("staff", person.id, person.clinic_id), "staff.wrong_references",
        "staff_member", person.id, now=now, phone_id=owner.phone.id, told=told,
    )  # fmt: skip
