"""The portal that the tests of its doors walk through."""

import pytest

from patient_portal.database import Database
from tests.support.house import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)
