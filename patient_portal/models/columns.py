"""Column types that several aggregates share."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

from patient_portal.database import UtcDateTime, new_id

Id = Annotated[str, mapped_column(String(16), primary_key=True, default=new_id)]
Moment = Annotated[datetime, mapped_column(UtcDateTime())]
# SQLite keeps JSON as text, PostgreSQL as jsonb; both give back dicts and lists.
Json = JSON().with_variant(JSONB(), "postgresql")


def ref_to(table: str, **options: Any) -> Any:
    """A foreign key to ``table.id``."""
    return mapped_column(String(16), ForeignKey(f"{table}.id"), **options)


def code_of(kind: type[StrEnum], **options: Any) -> Any:
    """A column for a short code of an enumeration, kept as its text."""
    from sqlalchemy import Enum

    return mapped_column(
        Enum(
            kind,
            native_enum=False,
            length=24,
            create_constraint=False,
            values_callable=lambda members: [member.value for member in members],
        ),
        **options,
    )
