"""A real Chromium, as large as a phone, that reaches nothing but this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

PHONE = (390, 844)
DESKTOP = (1280, 900)
_PLACES = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/usr/bin/google-chrome-stable",
    "/snap/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def browser_path() -> str | None:
    """The browser named by PORTAL_BROWSER, an installed one, or None for playwright's own."""
    named = os.environ.get("PORTAL_BROWSER")
    return named or next((place for place in _PLACES if os.access(place, os.X_OK)), None)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a Chromium and close it at the end."""
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=flags)
        yield browser
        browser.close()


@dataclass
class Phones:
    """Opens pages, each in a private context of its own, and watches what they do."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self,
        base_url: str,
        *,
        javascript: bool = True,
        size: tuple[int, int] = PHONE,
        locale: str = "en-US",
        scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        """A page of a new, unknown phone (or desktop, by its size)."""
        width, height = size
        context = self.browser.new_context(
            base_url=base_url,
            viewport={"width": width, "height": height},
            is_mobile=width < 600,
            has_touch=width < 600,
            java_script_enabled=javascript,
            locale=locale,
            color_scheme=scheme,
            timezone_id="America/New_York",
        )
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        origin = urlsplit(base_url).netloc
        context.on("request", lambda request: self._look_at_request(request, origin))
        context.on("console", self._look_at_console)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        return context.new_page()

    def _look_at_request(self, request: Request, origin: str) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != origin:
            self.complaints.append(f"asked another origin: {request.url}")

    def _look_at_console(self, message: ConsoleMessage) -> None:
        # A 4xx the test provoked is written to the console too; only the policy's own words count.
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.complaints.append(f"policy: {message.text}")

    def close(self) -> None:
        """Close every page; raise if one asked another origin, broke the policy or a script."""
        for context in self._contexts:
            context.close()
        assert not self.complaints, "\n".join(self.complaints)
