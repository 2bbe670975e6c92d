"""A patient's or caregiver's account: links in texts, signing in, settings."""

from patient_portal.web.patient import links, looks, settings, signing_in
from patient_portal.web.patient.entrance import blueprint

# The modules put their routes on the blueprint when they are imported.
__all__ = ["blueprint", "links", "looks", "settings", "signing_in"]
