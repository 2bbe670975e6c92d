"""Our own schema of the Messages API against Twilio's definition. Run by ``make contract``."""
