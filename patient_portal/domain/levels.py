"""The four triage levels, mildest first."""

from __future__ import annotations

from enum import IntEnum


class TriageLevel(IntEnum):
    """How soon somebody must act; comparable, so `max()` is the worst."""

    NONE = 0
    WATCH = 1
    URGENT = 2
    EMERGENCY = 3

    @property
    def code(self) -> str:
        """The name used in files, on the command line and in the database."""
        return self.name.lower()

    @property
    def is_red(self) -> bool:
        """Whether this level texts the care team."""
        return self >= TriageLevel.URGENT

    @classmethod
    def from_code(cls, code: str) -> TriageLevel:
        """The level called `code`; raises ValueError for anything else."""
        for level in cls:
            if level.code == code:
                return level
        raise ValueError(f"{code!r} is not one of {', '.join(level.code for level in cls)}")
