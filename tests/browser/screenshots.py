"""`make screenshots`: every page and tab for every role, with the demonstration's data.

They go into a folder outside of git.
With ``--url`` the pages of a demonstration that runs already.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from core.settings import PROJECT, load_settings
from deployments.demo.cast import EVERYBODY, DemoPerson
from deployments.demo.run import demonstration
from tests.browser.passing_states import passing_states
from tests.browser.walking import chromium, come_to_rest, every_page, sign_in_at, tabs

SIZE = (1280, 720)
LONGEST = 8_000
"""Pixels of a page that is drawn whole; a browser has no more in one picture."""
TABLES_ARE_DRAWN = """() => [...document.querySelectorAll('[data-testid="stDataFrame"]')]
    .filter((each) => each.checkVisibility())
    .every((each) => each.querySelector('canvas')?.clientWidth > 100)"""
LENGTH = """() => {
    const main = document.querySelector('[data-testid="stMain"]');
    return main ? main.scrollHeight : document.documentElement.scrollHeight;
}"""


def main() -> None:
    """Takes the pictures and says where they are."""
    arguments = _arguments()
    people = [person for person in EVERYBODY if arguments.only in person.subject]
    with _portal(arguments.url) as url, chromium() as browser:
        for person in people:
            _take(browser, url, person, arguments.into)
        if people[0] == EVERYBODY[0]:
            _take_passing(browser, url, people[0], arguments.into)
    print(f"Screenshots are in {arguments.into}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=PROJECT / "screenshots")
    parser.add_argument("--url", help="where a demonstration runs")
    parser.add_argument("--only", default="", help="a part of a person's address")
    return parser.parse_args()


@contextmanager
def _portal(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with demonstration(load_settings(), say=print) as services:
        yield services.portal_url


def _take(browser: Browser, url: str, person: DemoPerson, folder: Path) -> None:
    """The pages that the menu offers, as they open, with each of their tabs."""
    with _signed_in(browser, url, person) as page:
        for name in every_page(page):
            for number, tab in enumerate(tabs(page)):
                _picture(page, _own(folder, person), name if number == 0 else f"{name} {tab}")


def _take_passing(browser: Browser, url: str, person: DemoPerson, folder: Path) -> None:
    """States that the demonstration's months have left behind."""
    with _signed_in(browser, url, person) as page, TemporaryDirectory() as files:
        for name in passing_states(page, url, Path(files)):
            _picture(page, _own(folder, person), name)


@contextmanager
def _signed_in(browser: Browser, url: str, person: DemoPerson) -> Iterator[Page]:
    with browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}) as context:
        page = context.new_page()
        sign_in_at(page, url, person.subject)
        yield page


def _own(folder: Path, person: DemoPerson) -> Path:
    return folder / _slug(f"{person.kind} {person.name}")


def _picture(page: Page, folder: Path, name: str) -> None:
    """What is seen at first, and the whole of a page that is longer."""
    folder.mkdir(parents=True, exist_ok=True)
    _shoot(page, folder / f"{_slug(name)}.png")
    length = page.evaluate(LENGTH)
    if length > SIZE[1]:
        page.set_viewport_size({"width": SIZE[0], "height": min(length, LONGEST)})
        come_to_rest(page)
        _shoot(page, folder / f"{_slug(name)}-whole.png")
        page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        come_to_rest(page)


def _shoot(page: Page, path: Path) -> None:
    page.wait_for_function(TABLES_ARE_DRAWN)
    page.screenshot(path=path, animations="disabled")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("+", " plus")).strip("-")


if __name__ == "__main__":
    main()
