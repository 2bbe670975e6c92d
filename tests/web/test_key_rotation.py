"""The secret key is changed while somebody has a form open: the form can still be sent."""

from patient_portal.database import Database
from patient_portal.models import LinkKind
from tests.support.check_in import check_ins, hidden_of
from tests.support.doors import an_app
from tests.support.house import House

OLD = "the key of yesterday, 32 characters long"
NEW = "the key of today is another one, as long"


def _posted(database: Database, *, fallbacks: tuple[str, ...]) -> int:
    """The status of a first answer whose page was shown under the old key."""
    house = House(database)
    before = an_app(database, secret_key=OLD).test_client()
    page = before.get(house.link(LinkKind.DAILY))
    cookie = before.get_cookie("page")
    assert cookie is not None
    after = an_app(database, secret_key=NEW, secret_key_fallbacks=fallbacks).test_client()
    after.set_cookie("page", cookie.value)
    form = {**hidden_of(page), "red_flags": "chest_pain"}
    return after.post("/check-in/red-flags", data=form).status_code


def test_a_form_of_the_old_key_is_taken_while_that_key_still_counts(database: Database) -> None:
    assert _posted(database, fallbacks=(OLD,)) == 303
    assert len(check_ins(database)) == 1


def test_without_it_the_form_is_asked_again_and_nothing_is_stored(database: Database) -> None:
    assert _posted(database, fallbacks=()) == 400
    assert check_ins(database) == []
