"""Areas: an area with its parents, parts, predecessors and successors; the crawls for operators."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.access.people import Person
from core.areas.register_store import rows_in_use
from core.engine.areas.finding import Area, Areas, Place
from core.engine.areas.kinds import DISTRICTS, LSOA
from portal import words
from portal.components.crawls import show_crawls
from portal.database import engine

LISTED = 50
SHOWN_CHILDREN = 12

_POINTS: dict[str, Any] = {
    "mark": "circle",
    "encoding": {
        "x": {"field": "Longitude", "type": "quantitative", "scale": {"zero": False}},
        "y": {"field": "Latitude", "type": "quantitative", "scale": {"zero": False}},
        "size": {"condition": {"test": "datum.Chosen", "value": 200}, "value": 30},
        "tooltip": [{"field": "District"}, {"field": "Code"}],
    },
}
"""The map shows points with names, since outlines would have to be fetched from elsewhere."""


def show(person: Person) -> None:
    """The page."""
    st.title("Areas")
    if person.runs_the_service:
        search, crawls = st.tabs(["Look up", "Crawls of the spider"])
        with search:
            _look_up()
        with crawls:
            show_crawls(person)
    else:
        _look_up()


def _look_up() -> None:
    with engine().connect() as connection:
        areas = Areas(rows_in_use(connection))
    if "area" in st.query_params and "area-text" not in st.session_state:
        st.session_state["area-text"] = st.query_params["area"]
    text = st.text_input(
        "Code or name", key="area-text", placeholder="E09000030, Tower Hamlets, Allerdale 001A"
    )
    if not text.strip():
        st.caption(
            "Countries, regions, counties, districts and LSOAs, with their dates, parents and "
            "what took their place. Source: Office for National Statistics, Open Government "
            "Licence v3.0. Contains OS data © Crown copyright and database right."
        )
        _show_map(areas, None)
        return
    places = areas.search(text, LISTED)
    if not places:
        st.info("No area of the register is called so, now or before.")
        return
    chosen = places[0]
    if len(places) > 1:
        chosen = st.selectbox("Areas", places, format_func=_label, key=f"areas-of-{text}")
    _show(areas, areas.area(chosen.code))


def _label(place: Place) -> str:
    ended = f", ended {words.day(place.ends)}" if place.ends else ""
    return f"{place.name} ({place.code}), {place.kind}{ended}"


def _show(areas: Areas, area: Area) -> None:
    place = area.place
    st.subheader(f"{words.plain(place.name)} ({place.code})")
    st.markdown(f"{place.kind[:1].upper()}{place.kind[1:]}. {_dates(area)}")
    if area.name_welsh:
        st.markdown(f"In Welsh: {words.plain(area.name_welsh)}")
    if area.successors:
        st.warning("In its place today: " + words.plain(", ".join(map(_label, area.successors))))
    left, right = st.columns(2)
    with left:
        st.markdown("**Lies within**")
        _list(area.ancestors, "Nothing: it stands at the top.")
        if area.responsible:
            st.markdown("**Responsible authority**")
            _list((area.responsible,), "")
        if area.predecessors:
            st.markdown("**Took the place of**")
            _list(area.predecessors, "")
    with right:
        if place.kind != LSOA:
            _show_children(area)
    _show_periods(area)
    if place.kind in DISTRICTS:
        _show_map(areas, place.code)


def _show_children(area: Area) -> None:
    st.markdown(f"**Has {words.count(len(area.children), 'area')} within it**")
    _list(area.children[:SHOWN_CHILDREN], "None that the register holds.")
    if len(area.children) > SHOWN_CHILDREN:
        with st.expander(f"{len(area.children) - SHOWN_CHILDREN:,} more"):
            _list(area.children[SHOWN_CHILDREN:], "")


def _dates(area: Area) -> str:
    begins = f"Since {words.day(area.begins)}. " if area.begins else ""
    ends = f"Ended on {words.day(area.place.ends)}." if area.place.ends else "In force."
    return begins + ends


def _list(places: tuple[Place, ...], none: str) -> None:
    lines = [f"- {words.plain(place.name)} ({place.code}), {place.kind}" for place in places]
    st.markdown("\n".join(lines) or none)


def _show_periods(area: Area) -> None:
    if not area.periods:
        return
    st.markdown("**Before**")
    st.dataframe(
        {
            "Until": [words.day(period.until) for period in area.periods],
            "Name": [period.name for period in area.periods],
            "Within": [_label(period.parent) if period.parent else "" for period in area.periods],
        },
        hide_index=True,
        width="stretch",
        alt="Earlier names and parents",
    )


def _show_map(areas: Areas, marked: str | None) -> None:
    """Shows districts as points; there is no map where the source has no positions."""
    rows = areas.districts(DISTRICTS)
    if not rows.num_rows:
        return
    places = {
        "Longitude": rows["longitude"].to_pylist(),
        "Latitude": rows["latitude"].to_pylist(),
        "District": rows["name"].to_pylist(),
        "Code": rows["code"].to_pylist(),
        "Chosen": [code == marked for code in rows["code"].to_pylist()],
    }
    st.vega_lite_chart(places, _POINTS, height=500)
