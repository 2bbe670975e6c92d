"""The pages of the care team."""

from flask import Blueprint

from patient_portal.web.care_team import (
    account,
    alarm,
    alerts,
    audit,
    course,
    inbox,
    patients,
    pausing,
    rota,
)

blueprint = Blueprint("care_team", __name__, url_prefix="/staff")
for part in (account, inbox, alerts, patients, course, pausing, rota, alarm, audit):
    blueprint.register_blueprint(part.blueprint)
