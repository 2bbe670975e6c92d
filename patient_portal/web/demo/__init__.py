"""The demo's own pages: people, phones, clock. Mounted by the demo only."""

from flask import Blueprint

from patient_portal.web.demo import clock, people, phones

blueprint = Blueprint("demo", __name__, url_prefix="/demo")
for part in (people, phones, clock):
    blueprint.register_blueprint(part.blueprint)
