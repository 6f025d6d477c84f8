"""`make screenshots`: every page for every role, with the demonstration's data, into a folder.

With ``--url`` the pages of a demonstration that runs already.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from core.settings import PROJECT, load_settings
from deployments.demo.cast import PEOPLE, DemoPerson
from deployments.demo.run import demonstration
from tests.browser.walking import chromium, every_page, sign_in_at

SIZE = (1280, 720)


def main() -> None:
    """Takes the pictures and says where they are."""
    arguments = _arguments()
    with _portal(arguments.url) as url, chromium() as browser:
        for person in PEOPLE:
            if arguments.only in person.subject:
                _take(browser, url, person, arguments.into)
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
    own = folder / f"{person.kind}-{person.name}".lower().replace(" ", "-").replace("+", "-plus")
    own.mkdir(parents=True, exist_ok=True)
    with browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}) as context:
        page = context.new_page()
        sign_in_at(page, url, person.subject)
        for name in every_page(page):
            page.screenshot(path=own / f"{name.lower().replace(' ', '-')}.png")


if __name__ == "__main__":
    main()
