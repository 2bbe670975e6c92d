"""The pages of the care team."""

from flask import Blueprint

from patient_portal.web.care_team import account, alerts, inbox, patients

blueprint = Blueprint("care_team", __name__, url_prefix="/staff")
for part in (account, inbox, alerts, patients):
    blueprint.register_blueprint(part.blueprint)
