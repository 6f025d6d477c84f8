"""What the portal's pages offer a person, read from the pages themselves (AppTest)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streamlit.testing.v1 import AppTest

from core.access.people import Person
from core.database import engine as database
from core.settings import Settings, use_settings
from core.settings import _in_use as in_use
from core.vocabulary.permissions import Action
from portal.navigation import contents_for
from tests.service.permissions.permission_scene import (
    ASKED,
    DRAFT,
    FIGURE,
    FINAL,
    IN_ERROR,
    PLACES,
    READY,
)

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Engine

    from tests.service.permissions.permission_scene import Place, Scene


def offered(person: Person, scene: Scene) -> Iterator[tuple[str, str]]:
    """Every action that some page offers, with the place for which it does."""
    addresses = set(shown(person))
    for name in PLACES:
        for action in _at(person, scene.places[name], addresses):
            yield str(action), name


@contextmanager
def pages_on(engine: Engine) -> Iterator[None]:
    """The portal's pages on the database, by the portal's own role; no Prefect answers them."""
    before = list(in_use)
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    use_settings(Settings(database_url=url, prefect_api_url="http://127.0.0.1:9/api"))
    database.engine.cache_clear()
    try:
        yield
    finally:
        database.engine().dispose()
        database.engine.cache_clear()
        use_settings(before[0] if before else None)


def shown(person: Person) -> list[str]:
    from portal.database import act_as

    act_as(person)
    try:
        return list(contents_for(person))
    finally:
        act_as(None)


def _at(person: Person, place: Place, addresses: set[str]) -> Iterator[Action]:
    for address, look in _PAGES.items():
        if address in addresses:
            yield from look(person, place)


def _upload(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "upload", place.provider, IN_ERROR)
    if _is_of(page, place):
        if page.checkbox:
            yield Action.UPLOAD
        if any("See what will change" in button.label for button in page.button):
            yield Action.CORRECT


def _submission(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "submission", place.provider, READY)
    labels = {button.label for button in page.button} if _is_of(page, place) else set()
    if "Run as draft" in labels:
        yield Action.DRAFT
    if "Submit" in labels:
        yield Action.SUBMIT
    page = page_at(person, "submission", place.provider, FINAL)
    if _is_of(page, place) and page.metric:
        yield Action.SEE_CHARGES


def _charges(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "charges", place.provider, FINAL)
    payer = {"E09000030": "Tower Hamlets", "E09000012": "Hackney"}[place.commissioner]
    payers = [box.options for box in page.selectbox if box.label == "Commissioner"]
    is_shown = page.query_params.get("provider") == [place.provider]
    if is_shown and page.metric and any(payer in options for options in payers):
        yield Action.SEE_CHARGES


def _home(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "home", place.provider, FINAL)
    charged = {"E09000030": "Tower Hamlets", "E09000012": "Hackney"}[place.commissioner]
    if any(charged in heading.value for heading in page.subheader) and page.dataframe:
        yield Action.SEE_CHARGES


def _reports(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "reports", place.provider, FINAL)
    for code in (place.provider, place.commissioner):
        if not page.selectbox:
            continue
        [mine] = [
            option for option in page.selectbox(key="report-for").options if code in option
        ] or [""]
        if mine:
            page.selectbox(key="report-for").select(mine).run()
            if "Backing Data" in page.selectbox(key="report-kind").options:
                yield Action.SEE_BACKING_DATA


def _hosted(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "hosted", place.provider, FINAL)
    name = {"E09000030": "Tower Hamlets", "E09000012": "Hackney"}[place.commissioner]
    if any(name in heading.value for heading in page.subheader) and page.text_area:
        yield Action.ASK_FOR_RESET


def _resets(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "resets", place.provider, ASKED)
    if any(f"Request {place.reset_id}," in caption.value for caption in page.caption):
        yield Action.GRANT_RESET


def _figures(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "kpis", place.provider, FINAL)
    providers = [box for box in page.selectbox if box.label == "Provider"]
    for box in providers:
        if any(place.provider in option for option in box.options):
            page = box.select(next(each for each in box.options if place.provider in each)).run()
            assert not page.exception, page.exception
            if any(each.value.startswith(f"### {FIGURE}") for each in page.markdown):
                yield Action.SEE_KPIS


def _editor(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "kpis", place.provider, FINAL)
    for box in [each for each in page.selectbox if each.label == "Indicator"]:
        page = box.select(DRAFT).run()
        assert not page.exception, page.exception
        open_to = {each.label for each in page.button if not each.disabled}
        if "Keep as a draft" in open_to:
            yield Action.EDIT_CONFIGURATION
        if "Publish" in open_to:
            yield Action.PUBLISH_CONFIGURATION


def _indicators(person: Person, place: Place) -> Iterator[Action]:
    yield from _figures(person, place)
    yield from _editor(person, place)


def _accounts(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "accounts", place.provider, FINAL)
    audited = page_at(person, "audit", place.provider, FINAL)
    names = [option for box in page.selectbox for option in box.options]
    said = [*names, *(each.value for each in [*page.markdown, *page.caption])]
    if any(place.provider in each for each in said) and page.button and audited.dataframe:
        yield Action.MANAGE_ACCOUNTS


def _operations(person: Person, place: Place) -> Iterator[Action]:
    page = page_at(person, "operations", place.provider, FINAL)
    told = any(place.failure in each.value for each in page.markdown)
    if told and any(each.key == f"retry-{place.failure}" for each in page.button):
        yield Action.OPERATE


_PAGES: dict[str, Callable[[Person, Place], Iterator[Action]]] = {
    "upload": _upload,
    "submission": _submission,
    "charges": _charges,
    "home": _home,
    "reports": _reports,
    "hosted": _hosted,
    "resets": _resets,
    "kpis": _indicators,
    "accounts": _accounts,
    "operations": _operations,
}


def page_at(person: Person, address: str, provider: str, month: dt.date) -> AppTest:
    page = AppTest.from_function(_run, args=(person, address), default_timeout=60)
    page.query_params["provider"] = provider
    page.query_params["month"] = f"{month:%Y-%m}"
    page.run()
    assert not page.exception, page.exception
    return page


def texts(page: AppTest) -> str:
    """All that a page says, as it is read."""
    told = (
        *page.subheader, *page.markdown, *page.caption, *page.info, *page.warning, *page.error,
        *page.success, *page.text,
    )  # fmt: skip
    return " ".join(str(each.value) for each in told).replace("\\", "")


def forced(person: Person, address: str) -> str:
    """What becomes of a page that the person's navigation does not have, when it is run anyhow."""
    page = AppTest.from_function(_run_anyhow, args=(person, address), default_timeout=60)
    page.run()
    return " ".join(each.message for each in page.exception)


def _run_anyhow(person: object, address: str) -> None:  # as _run
    from importlib import import_module
    from unittest.mock import patch

    from portal.database import act_as

    act_as(person)  # type: ignore[arg-type]
    with patch("portal.fragments.person_on_page", lambda **_: person):
        import_module(f"portal.views.{address}").show(person)


def _is_of(page: AppTest, place: Place) -> bool:
    """Whether the page is about the provider that its address asked for."""
    chosen = [box.value for box in page.selectbox if box.label == "Provider"]
    return any(place.provider == getattr(each, "code", None) for each in chosen) or any(
        place.provider in str(getattr(each, "code", each)) for each in chosen
    )


def _run(person: object, address: str) -> None:  # it is run by itself, without our imports
    from unittest.mock import patch

    from portal.database import act_as
    from portal.links import remember_pages
    from portal.navigation import contents_for

    act_as(person)  # type: ignore[arg-type]
    remember_pages({})
    # Parts that refresh themselves look at the cookie again, and there is no browser.
    with patch("portal.fragments.person_on_page", lambda **_: person):
        contents_for(person)[address][1](person)  # type: ignore[arg-type]
