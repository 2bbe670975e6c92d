"""Signs of life of the worker processes."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Moment


class Heartbeat(Base):
    """When a worker was last alive, by its own name."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(String(40), primary_key=True)
    beat_at: Mapped[Moment]
    note: Mapped[str | None] = mapped_column(String(40))  # why it does not work, if it does not
