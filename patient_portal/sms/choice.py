"""Which gateway the settings name; the process that sends asks this once."""

from patient_portal.config import Settings, SettingsError
from patient_portal.sms.gateway import Gateway


def gateway_of(settings: Settings) -> Gateway:
    """The gateway that the settings name."""
    if settings.sms_gateway == "twilio":
        # Imported here: the client costs 100 ms and 16 MB, and only the worker sends.
        from patient_portal.sms.twilio import TwilioGateway

        if settings.twilio is None:
            raise SettingsError("SMS_GATEWAY is twilio, but its settings are missing.")
        return TwilioGateway(settings.twilio, settings.base_url)
    from patient_portal.sms.simulator import Simulator

    return Simulator()
