"""What every service may need to know of the place it runs in."""

from dataclasses import dataclass, field

from patient_portal import protocols
from patient_portal.config import Settings
from patient_portal.domain.protocol import Protocol


@dataclass(frozen=True)
class Site:
    """The address people open, the secret that links derive from, and the rules in force.

    ``texts_from`` is the number (E.164) that patients' texts come from, where there is one.
    """

    base_url: str
    pepper: str = field(repr=False)
    protocol: Protocol
    is_demo: bool = False
    texts_from: str | None = None


def site_of(settings: Settings) -> Site:
    """The site that services see. Raises ProtocolError when the rules cannot be loaded."""
    return Site(
        base_url=settings.base_url,
        pepper=settings.pepper,
        protocol=protocols.current(),
        is_demo=settings.demo,
        texts_from=settings.twilio.sender if settings.twilio else None,
    )
