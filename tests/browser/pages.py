"""Pages in a real headless Chromium: what they say, ask for, complain of and look like."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from browser.chromium import chromium

HEIGHT = 900


@dataclass
class Opened:
    """A page that is open, and what happened since it was opened."""

    page: Page
    """To click, type and measure."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and exceptions."""
    requests: list[str] = field(default_factory=list)
    """Every URL that was asked for but the file itself and what is inside it (data:)."""

    def text(self) -> str:
        """What a person can read."""
        return self.page.inner_text("body")

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window; 0 when it fits."""
        wider: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wider

    def background(self) -> tuple[int, int, int]:
        """Colour behind everything, red, green, blue."""
        told: str = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        red, green, blue = (int(part) for part in told.strip("rgb()").split(",")[:3])
        return red, green, blue

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write a screenshot, PNG, of the window or of the whole page."""
        self.page.screenshot(path=path, full_page=whole)


@contextmanager
def opened(path: Path, *, width: int = 1280, dark: bool = False) -> Iterator[Opened]:
    """Opens a file as a person does who double-clicks it."""
    context = _browser().new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme="dark" if dark else "light"
    )
    try:
        page, url = context.new_page(), path.resolve().as_uri()
        seen = Opened(page)
        page.on("console", lambda said: _note(seen, said.type, said.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", lambda asked: _ask(seen, asked.url, url))
        page.goto(url)
        page.wait_for_load_state("networkidle")
        yield seen
    finally:
        context.close()


@functools.cache
def _browser() -> Browser:
    """One for all tests: Playwright allows no second, and each page has its own context."""
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    # Chromium's own sandbox needs rights that containers lack; the pages are our own.
    return playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])


def _note(seen: Opened, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        seen.complaints.append(f"{kind}: {text}")


def _ask(seen: Opened, asked: str, own: str) -> None:
    if asked.split("#", maxsplit=1)[0] != own and not asked.startswith("data:"):
        seen.requests.append(asked)
