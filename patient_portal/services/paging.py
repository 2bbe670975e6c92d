"""An alert's texts to the care team: the steps of the ladder in the outbox, and their end."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.delivery import LOST
from patient_portal.domain.escalation import Facts, next_due
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    Lane,
    Message,
    MessageKind,
    MessageState,
    StaffMember,
)
from patient_portal.services import bundles, messages
from patient_portal.services.rungs import Pager, Roster, Rung, first_numbers, read_roster
from patient_portal.services.site import Site
from patient_portal.sms import staff_texts
from patient_portal.words import Words

# How long an unsent alert text is worth sending. After an outage it still goes out: an alert that
# is late is better than none, and taking the alert stands its unsent texts down. (Once the gateway
# has a text it gets 300 seconds to deliver it; see ``sms.gateway``.)
ALERT_TEXT_LIVES = timedelta(hours=24)
# A link in the wrong hands must not be able to text an owner without end.
OWNER_IS_TOLD_EVERY = timedelta(minutes=10)


def address_of(site: Site, alert: Alert) -> str:
    """Where the care team reads the alert."""
    return f"{site.base_url}/staff/alerts/{alert.ref}"


# ---- the ladder


def start_ladder(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Text the first step that has somebody with a phone; a step with nobody is skipped at once.

    Where no step has anybody, everyone of the clinic who has a phone is texted, and the clinic's
    own number. If there is nobody at all, the alert says so wherever it is shown.
    """
    roster = read_roster(session, alert.clinic_id, now)
    alert.ladder_started_at, alert.patient_told_at = now, None
    alert.step = alert.round = 0
    text_rung(session, site, roster, alert, roster.first_rung(TriageLevel(alert.level)), now)


def text_rung(
    session: Session, site: Site, roster: Roster, alert: Alert, rung: Rung, now: datetime
) -> None:
    """Make this the running step, text its people, and set the timer."""
    alert.round = (alert.round or 0) + 1 if rung.number <= (alert.step or 0) else 0
    alert.step, alert.step_started_at = rung.number, now
    alert.next_action_at = next_due(facts_at_start(roster, alert, rung))
    page(session, site, roster, alert, rung.people, now)


def facts_at_start(roster: Roster, alert: Alert, rung: Rung) -> Facts:
    """What the timers depend on when a step has just been texted."""
    has_seconds = any(len(roster.numbers.get(each.id or "", ())) > 1 for each in rung.people)
    return facts_of(roster, alert, has_proof=False, is_lost=False, seconds_wait=has_seconds)


def facts_of(roster: Roster, alert: Alert, **step: bool) -> Facts:
    """The alert's row, and what became of its running step's texts, as the timers see them."""
    level = TriageLevel(alert.level)
    return Facts(
        level=level,
        state=alert.state,
        steps=roster.steps(level),
        opened_at=alert.opened_at,
        ladder_started_at=alert.ladder_started_at,
        step=alert.step or 0,
        step_started_at=alert.step_started_at,
        patient_told_at=alert.patient_told_at,
        taken_at=alert.taken_at,
        contacted_at=alert.contacted_at,
        repaged_at=alert.repaged_at,
        lead_told_at=alert.lead_told_at,
        is_test=bool(alert.is_test),
        **step,
    )


def read_facts(session: Session, roster: Roster, alert: Alert) -> Facts:
    """The same from rows alone, at any moment."""
    texts = texts_of_step(session, alert)
    unheard = unheard_people(roster, texts)
    owner = session.get(StaffMember, alert.taken_by) if alert.taken_by else None
    return facts_of(
        roster,
        alert,
        has_proof=any(_is_heard(roster, text) for text in texts),
        is_lost=all(_is_lost(roster, text) for text in texts),
        seconds_wait=bool(unheard),
        seconds_lost=any(is_lost for _, is_lost in unheard),
        owner_is_gone=owner is not None and owner.disabled_at is not None,
    )


def _is_heard(roster: Roster, text: Any) -> bool:
    """Whether a text arrived on a phone whose person can still act on it."""
    return text.state is MessageState.DELIVERED and roster.still_reaches(
        text.phone_id, text.to_number
    )


def _is_lost(roster: Roster, text: Any) -> bool:
    return text.state in LOST or not roster.still_reaches(text.phone_id, text.to_number)


def set_timer(session: Session, roster: Roster, alert: Alert) -> None:
    """Work out anew when the clock next asks for something."""
    alert.next_action_at = next_due(read_facts(session, roster, alert))


def texts_of_step(session: Session, alert: Alert) -> Sequence[Any]:
    """Person, phone and state of each text of the running step."""
    return session.execute(
        select(Message.staff_id, Message.phone_id, Message.to_number, Message.state).where(
            Message.alert_id == alert.id,
            Message.kind == MessageKind.STAFF_ALERT,
            Message.step == alert.step,
            Message.round == alert.round,
            Message.created_at >= (alert.step_started_at or alert.ladder_started_at),
        )
    ).all()


def unheard_people(roster: Roster, texts: Sequence[Any]) -> list[tuple[Pager, bool]]:
    """The next number of each person of the step whom nothing reached yet, if they have one.

    With it: whether all that went to the person is lost.
    """
    found: list[tuple[Pager, bool]] = []
    for person in dict.fromkeys(text.staff_id for text in texts if text.staff_id):
        theirs = [text for text in texts if text.staff_id == person]
        if any(_is_heard(roster, text) for text in theirs):
            continue
        number = roster.second(person, (text.phone_id for text in theirs))
        if number is not None:
            found.append((number, all(_is_lost(roster, text) for text in theirs)))
    return found


def page(
    session: Session,
    site: Site,
    roster: Roster,
    alert: Alert,
    people: Iterable[Pager],
    now: datetime,
) -> None:
    """Queue the running step's text for these people, in the clinic's language."""
    words, level = Words(roster.language), TriageLevel(alert.level)
    url = address_of(site, alert)
    for_staff = staff_texts.page(
        words, clinic=roster.clinic, ref=alert.ref, level=level, url=url,
        following=following(roster, alert), is_test=bool(alert.is_test),
    )  # fmt: skip
    for_clinic = staff_texts.unmanned(
        words, clinic=roster.clinic, ref=alert.ref, level=level, url=url
    )
    # Its own moment: a step may come twice in one ladder, where the clinic has made that shorter.
    start = f"{alert.step_started_at or alert.ladder_started_at:%Y%m%dT%H%M%S%f}"
    once = f"alert:{alert.id}:{start}:step:{alert.step}:round:{alert.round}"
    drafts = [
        draft_for(
            alert, person, MessageKind.STAFF_ALERT, for_staff if person.id else for_clinic,
            f"{once}:to:{person.key}",
        )
        for person in people
        if person.id or not alert.is_test  # the clinic's own phone cannot answer
    ]  # fmt: skip
    bundles.queue_pages(session, site, roster, drafts, level, now)


def following(roster: Roster, alert: Alert) -> staff_texts.Next | None:
    """Whom the ladder texts next, and when, on the clinic's clocks. None on the last step."""
    steps = roster.steps(TriageLevel(alert.level))
    if alert.is_test or alert.step >= len(steps) or alert.step_started_at is None:
        return None
    rung = roster.after(TriageLevel(alert.level), alert.step)
    names = [person.name for person in rung.people if person.name]
    if not names:
        return None
    at = alert.step_started_at + steps[alert.step - 1].wait
    return staff_texts.Next(names[0], at.astimezone(roster.zone))


def go_on(session: Session, alert: Alert, now: datetime) -> bool:
    """Let the ladder go on at once, unless a text of its running step has arrived or still may.

    True if it does. Called when a text was lost for good: nobody waits out a step in vain. If the
    person has a second number, that one is texted at once.
    """
    if alert.state is not AlertState.OPEN:
        return False
    texts = texts_of_step(session, alert)
    roster = read_roster(session, alert.clinic_id, now)
    is_lost = all(_is_lost(roster, text) for text in texts)
    if not is_lost and not any(lost for _, lost in unheard_people(roster, texts)):
        return False
    if alert.next_action_at is None or alert.next_action_at > now:
        alert.next_action_at = now
        messages.wake_workers(session)
    return is_lost


# ---- the owner


def tell_owner(
    session: Session,
    site: Site,
    alert: Alert,
    now: datetime,
    *,
    has_risen: bool = False,
    is_silence: bool = False,
) -> None:
    """Text the owner that there are new answers, or none; the first step if they have no phone.

    Once in ten minutes, unless the level has risen.
    """
    last = session.scalars(
        select(Message.created_at)
        .where(Message.alert_id == alert.id, Message.kind == MessageKind.STAFF_WORSE)
        .order_by(Message.created_at.desc())
        .limit(1)
    ).first()
    if last is not None and now - last < OWNER_IS_TOLD_EVERY and not has_risen:
        return
    roster = read_roster(session, alert.clinic_id, now)
    body = staff_texts.worse(
        Words(roster.language), clinic=roster.clinic, ref=alert.ref,
        level=TriageLevel(alert.level), url=address_of(site, alert), is_silence=is_silence,
    )  # fmt: skip
    text_owner(session, roster, alert, MessageKind.STAFF_WORSE, body, now)


def text_owner(
    session: Session, roster: Roster, alert: Alert, kind: MessageKind, body: str, now: datetime
) -> None:
    """Queue a text for the owner; for the first step if the owner cannot be texted."""
    people: Sequence[Pager] = roster.pagers([alert.taken_by] if alert.taken_by else [])
    people = people or roster.first_rung(TriageLevel(alert.level)).people
    key = f"{kind.value}:{alert.id}:{now:%Y%m%dT%H%M%S%f}"
    drafts = [draft_for(alert, person, kind, body, f"{key}:{person.key}") for person in people]
    messages.queue_all(session, drafts, now)


def draft_for(
    alert: Alert, person: Pager, kind: MessageKind, body: str, once_key: str
) -> messages.Draft:
    """A text about the alert to one phone; a page carries its step and round."""
    is_page = kind is MessageKind.STAFF_ALERT
    return messages.Draft(
        clinic_id=alert.clinic_id,
        to_number=person.phone,
        kind=kind,
        lane=Lane.ALERT,
        body=body,
        once_key=once_key,
        lives_for=ALERT_TEXT_LIVES,
        staff_id=person.id,
        phone_id=person.phone_id,
        alert_id=alert.id,
        step=alert.step if is_page else None,
        round=alert.round if is_page else None,
    )


# ---- people who can be texted, for what is no alert


def reachable(
    session: Session, clinic_id: str, positions: Sequence[str], now: datetime
) -> list[Pager]:
    """Staff of the clinic who hold one of these positions now and can be texted, each once.

    "everyone" leaves out auditors: they look at records and may not act on an alert.
    """
    return read_roster(session, clinic_id, now).people(positions)


def pagers(session: Session, clinic_id: str, people: Sequence[str]) -> list[Pager]:
    """Those of these people who can be texted, by their first number that can be."""
    return first_numbers(session, clinic_id, people)
