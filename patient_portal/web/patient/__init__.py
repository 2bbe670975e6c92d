"""The pages of patients and caregivers."""

from flask import Blueprint

from patient_portal.web.patient import account, checkin, education, help_now, home

blueprint = Blueprint("patient", __name__)
for part in (home, checkin, account, education, help_now):
    blueprint.register_blueprint(part.blueprint)
