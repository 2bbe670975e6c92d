"""What each entry of the audit log is called on the page."""

from patient_portal.services.audit_reading import Line
from patient_portal.words import Words, mark_message

ACTION_WORDS = {
    "act.refused": mark_message("Tried something that was refused"),
    "alert.by_text": mark_message("Words of danger came by text"),
    "alert.closed": mark_message("Closed an alert"),
    "alert.contact": mark_message("Noted a call about an alert"),
    "alert.joined": mark_message("New red answers joined an alert"),
    "alert.lead_told": mark_message("Texted the lead about an alert"),
    "alert.opened": mark_message("An alert was opened"),
    "alert.passed_on": mark_message("Passed an alert on"),
    "alert.patient_told": mark_message("Texted the patient to call: nobody had taken the alert"),
    "alert.released": mark_message("Gave an alert back"),
    "alert.reopened": mark_message("An alert was opened again"),
    "alert.repaged": mark_message("An alert was texted again"),
    "alert.taken": mark_message("Took an alert"),
    "alert.taken_back": mark_message("Said that an answer was a mistake"),
    "alert.test_ended": mark_message("A test alert ended"),
    "alert.went_on": mark_message("An alert went on to the next step"),
    "alert.worsened": mark_message("An alert got worse"),
    "audit.exported": mark_message("Took a copy of this log"),
    "audit.let_go": mark_message("Old entries were deleted by rule"),
    "audit.read": mark_message("Read this log"),
    "caregiver.preferences": mark_message("Changed their own settings"),
    "caregiver.texts_stopped": mark_message("Stopped the texts"),
    "check_in.answered": mark_message("Answered a check-in"),
    "check_in.left": mark_message("A check-in was left unfinished"),
    "check_in.read": mark_message("Read a check-in"),
    "check_in.sent": mark_message("Sent a check-in"),
    "check_in.taken_back": mark_message("Took an answer back"),
    "clinic.added": mark_message("A clinic was added"),
    "clinic.cover_confirmed": mark_message("Said that the clinic's line is answered at night"),
    "clinic.live": mark_message("The clinic went live"),
    "clinic.uk_lines": mark_message("Changed the lines for temperature"),
    "code.asked": mark_message("Asked for a sign-in code"),
    "code.refused": mark_message("A sign-in code was wrong"),
    "demo.seeded": mark_message("The demo was filled"),
    "device.forgotten": mark_message("A phone was forgotten"),
    "device.remembered": mark_message("A phone was remembered"),
    "drill.ended": mark_message("A drill ended"),
    "drill.started": mark_message("A drill started"),
    "medicine.noted": mark_message("Noted a medicine"),
    "override.approved": mark_message("Approved a limit"),
    "override.declined": mark_message("Declined a limit"),
    "override.set": mark_message("Set a limit"),
    "patient.added": mark_message("Added a patient"),
    "patient.enrolled": mark_message("Started with check-ins"),
    "patient.invited": mark_message("Sent an invitation"),
    "patient.listed": mark_message("Opened the list of patients"),
    "patient.paused": mark_message("Paused the check-ins"),
    "patient.preferences": mark_message("Changed their own settings"),
    "patient.resumed": mark_message("Ended a pause"),
    "patient.texts_started": mark_message("Asked for texts again"),
    "patient.texts_stopped": mark_message("Stopped the texts"),
    "patient.viewed": mark_message("Opened a patient's record"),
    "patients.imported": mark_message("Patients were added from a file"),
    "rota.change_added": mark_message("Changed the on-call schedule"),
    "rota.change_ended": mark_message("Ended a change of the on-call schedule"),
    "rota.ladder_changed": mark_message("Changed who is texted next, and when"),
    "rota.place_changed": mark_message("Changed the clinic's place or phones"),
    "rota.turns_added": mark_message("Added on-call turns"),
    "rota.turns_ended": mark_message("Ended on-call turns"),
    "silence.read": mark_message("Read that check-ins were missed"),
    "staff.added": mark_message("Added a member of staff"),
    "staff.check_answered": mark_message("Answered a test text"),
    "staff.check_unanswered": mark_message("A test text was not answered"),
    "staff.disabled": mark_message("Closed an account"),
    "staff.on_call": mark_message("Put somebody on call"),
    "staff.phone_bad": mark_message("A phone of staff cannot be reached"),
    "staff.phone_dropped": mark_message("Removed a phone"),
    "staff.phone_kept": mark_message("Added a phone"),
    "staff.phone_tested": mark_message("Tested a phone"),
    "staff.phone_verified": mark_message("A phone was proven"),
    "staff.sign_in_failed": mark_message("A sign-in failed"),
    "staff.signed_in": mark_message("Signed in"),
    "staff.signed_out": mark_message("Signed out"),
    "staff.texts_started": mark_message("Asked for texts again"),
    "staff.texts_stopped": mark_message("Stopped the texts"),
    "staff.wrong_references": mark_message("Texted references that we do not know"),
    "text.read": mark_message("Read a text from a patient"),
}


def action_words(words: Words, action: str) -> str:
    """What happened, in plain words; the code itself where this version has no words for it."""
    said = ACTION_WORDS.get(action)
    return words.message(said) if said else action


def who_words(words: Words, line: Line) -> str:
    """Who acted, by name where the clinic knows one."""
    if line.actor_kind == "system":
        return words.message("The portal")
    if line.who and line.actor_kind == "caregiver":
        return words.message("%(who)s (helper)", who=line.who)
    return line.who or words.message("Somebody")


def about_words(words: Words, line: Line) -> str:
    """Whom or what it is about: a name, and an alert's reference; empty if neither is known."""
    ref = line.detail.get("ref")
    said = words.message("alert %(ref)s", ref=ref) if isinstance(ref, str) else ""
    return ", ".join(part for part in (line.about, said) if part)
