"""What is wrong with the SMS gateway as a whole, kept where every process sees it."""

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.domain.gateway_policy import Fault
from patient_portal.models.columns import Moment, code_of

__all__ = ["GatewayFault"]


class GatewayFault(Base):
    """A fault that is not one number's. The row goes when a text shows that it is mended.

    ``rest_until``: the gateway is left alone until then, and one text a minute tries it after.
    """

    __tablename__ = "gateway_fault"

    kind: Mapped[Fault] = code_of(Fault, primary_key=True)
    code: Mapped[str] = mapped_column(String(40))  # the latest error
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]
    count: Mapped[int] = mapped_column(Integer)
    rest_until: Mapped[Moment | None]
