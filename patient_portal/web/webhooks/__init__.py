"""Where the SMS gateway calls us. The signature is checked before anything else."""

from patient_portal.web.webhooks.twilio import blueprint

__all__ = ["blueprint"]
