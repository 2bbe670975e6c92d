"""The pages of the main road, as a person sees them: what stands there, and what can be tapped."""

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True)
class CheckInPage:
    """A step of the check-in."""

    page: Page

    def open(self, path: str) -> "CheckInPage":
        """Follow the link in a text."""
        self.page.goto(path)
        return self

    @property
    def question(self) -> Locator:
        """The step's heading."""
        return self.page.get_by_role("heading", level=1)

    def tap(self, field: str, value: str) -> None:
        """Tap the answer whose field and value these are."""
        self.page.locator(f'button[name="{field}"][value="{value}"]').click()


@dataclass(frozen=True)
class ResultPage:
    """What came of a check-in."""

    page: Page

    @property
    def heading(self) -> Locator:
        """What to do, in one line."""
        return self.page.get_by_role("heading", level=1)

    @property
    def call_button(self) -> Locator:
        """The large button that calls."""
        return self.page.locator("a.call").first

    def wait_for(self, words: str | re.Pattern[str], *, seconds: float) -> None:
        """Wait until the page says so. It reloads itself, also without JavaScript."""
        expect(self.page.locator("main")).to_contain_text(words, timeout=seconds * 1000)


@dataclass(frozen=True)
class SignInPage:
    """Where the care team signs in."""

    page: Page

    def sign_in(self, email: str, password: str) -> None:
        """Type both and send."""
        self.page.locator('input[name="email"]').fill(email)
        self.page.locator('input[name="password"]').fill(password)
        self.page.locator("main button[type=submit], main form button").last.click()


@dataclass(frozen=True)
class AlertPage:
    """One alert, with what can be done about it."""

    page: Page

    def take(self) -> None:
        """Take the alert."""
        self.page.locator('form[action$="/take"] button').first.click()


def link_in(body: str, base_url: str) -> str:
    """The path of the address in a text of this portal."""
    found = re.search(re.escape(base_url) + r"(/\S+)", body)
    assert found is not None, body
    return found[1]
