"""What an invariant is: a query for the rows that break it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Invariant:
    """``number`` is that of the promise it belongs to (I1 to I22; - for others).

    ``name`` says what would be wrong; ``rows`` selects what is.
    """

    number: str
    name: str
    rows: Callable[[], Select[Any]]


def count(session: Session, invariant: Invariant) -> int:
    """How many rows break it."""
    return session.execute(
        select(func.count()).select_from(invariant.rows().subquery())
    ).scalar_one()
