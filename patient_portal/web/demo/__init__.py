"""The demo's own pages: people, phones, clock. Mounted by the demo only."""

from flask import Blueprint

from patient_portal.web.demo import clock, people, phones

blueprint = Blueprint("demo", __name__, url_prefix="/demo")
# Flask-WTF looks at the innermost blueprint of a view, so each part is exempted by itself: these
# pages are driven by scripts, and whoever reaches the demo may do everything in it anyway.
parts = tuple(part.blueprint for part in (people, phones, clock))
for part in parts:
    blueprint.register_blueprint(part)
