"""The portal that the tests of its doors walk through."""

from collections.abc import Iterator

import pytest

from patient_portal.database import Database
from tests.support.house import House
from tests.support.watching import watched_requests


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture(autouse=True)
def every_change_is_audited() -> Iterator[None]:
    """No request changes a row without an entry in the audit log, whatever a test asks for."""
    with watched_requests() as unaudited:
        yield
    assert unaudited == []
