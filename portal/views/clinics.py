"""Clinics: their host authorities, and since when, on a map and in a table."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlencode

import streamlit as st

from core.access.people import Person
from core.accounts.clinic_places import ClinicPlace, may_place, visible_clinics
from core.accounts.clinics import place_clinic
from core.areas.register_store import register_in_use, rows_in_use
from core.engine.areas.register import AreaRegister
from core.engine.areas.tiles import blocks_of
from core.vocabulary.permissions import Action
from portal import words
from portal.acting import act
from portal.components.district_map import district_map
from portal.database import engine

SHOWN = 100


def show(person: Person) -> None:
    """The page."""
    st.title("Clinics")
    with engine().connect() as connection:
        clinics = visible_clinics(connection, person.scope)
        register = register_in_use(connection)
        blocks = blocks_of(rows_in_use(connection))
    if not clinics:
        st.info(
            "There are no clinics for you yet. They are found in the files that providers upload, "
            "and each is then placed with the authority that hosts it."
        )
        return
    _place(person, [each for each in clinics if each.host is None], register)
    counts = Counter(register.stands_for(each.host) for each in clinics if each.host)
    chosen = district_map(blocks, counts)
    st.caption(
        "A square is a district, in the block of its region; choose one to see its clinics below. "
        "Regions lie as they do on the ground, and so do London's boroughs; elsewhere districts "
        "stand by name."
    )
    _show_table(person, clinics, chosen, register)


def _place(person: Person, unplaced: list[ClinicPlace], register: AreaRegister) -> None:
    """A form, for those who may use it, that sets the host of clinics without one."""
    if not unplaced:
        return
    st.warning(
        f"{words.count(len(unplaced), 'clinic')} without a host authority: a month with records of "
        "such a clinic cannot be submitted."
    )
    placeable = [clinic for clinic in unplaced if may_place(person.scope, clinic)]
    if not placeable:
        return
    authorities = sorted(register.names, key=lambda code: register.names[code])
    with st.form("place-clinic"):
        left, right = st.columns(2)
        clinic = left.selectbox("Clinic", placeable, format_func=_label, key="clinic-to-place")
        host = right.selectbox(
            "Host authority",
            authorities,
            index=None,
            format_func=lambda code: f"{register.names[code]} ({code})",
            placeholder="Choose the host authority",
        )
        if st.form_submit_button("Place this clinic", type="primary") and host:
            act(
                lambda c: place_clinic(
                    c,
                    clinic.provider_id,
                    clinic.clinic_id,
                    host,
                    register=register,
                    user_id=person.id,
                ),
                f"{clinic.title} is placed",
            )


def _label(clinic: ClinicPlace) -> str:
    return f"{clinic.title}, {clinic.provider_name}"


def _show_table(
    person: Person, clinics: list[ClinicPlace], chosen: str | None, register: AreaRegister
) -> None:
    search = st.text_input(
        "Search", placeholder="a clinic, an address, a provider", key="search-clinics"
    )
    fitting = [
        clinic
        for clinic in clinics
        if clinic.matches(search.split())
        and chosen in (None, clinic.host and register.stands_for(clinic.host))
    ]
    st.markdown(_heading(fitting, chosen, register))
    if not fitting:
        st.write("No clinic fits. Change the search, or choose the same square once more.")
        return
    st.table(_columns(person, fitting[:SHOWN], register), hide_index=True)
    if len(fitting) > SHOWN:
        st.caption(f"{len(fitting) - SHOWN:,} more: search for them.")


def _heading(clinics: list[ClinicPlace], chosen: str | None, register: AreaRegister) -> str:
    counted = words.count(len(clinics), "clinic")
    if chosen is None:
        return f"**{counted}**"
    return f"**{counted} hosted by {words.plain(register.names.get(chosen, chosen))}**"


def _columns(
    person: Person, clinics: list[ClinicPlace], register: AreaRegister
) -> dict[str, list[str]]:
    columns = {
        "Clinic": [words.plain(clinic.title) for clinic in clinics],
        "Provider": [words.plain(clinic.provider_name) for clinic in clinics],
        "Address": [words.plain(clinic.address or "not known") for clinic in clinics],
        "Host commissioner": [_host(clinic, register) for clinic in clinics],
        "Since": [words.day(clinic.since) if clinic.since else "" for clinic in clinics],
    }
    if person.may(Action.SEE_CHARGES):
        columns["Charges"] = [_link(clinic) for clinic in clinics]
    return columns


def _host(clinic: ClinicPlace, register: AreaRegister) -> str:
    if clinic.host is None:
        return ":orange-badge[to be placed]"
    return words.plain(register.names.get(clinic.host, clinic.host))


def _link(clinic: ClinicPlace) -> str:
    query = urlencode({"provider": clinic.provider, "clinic": clinic.clinic_id})
    return f"[See its charges](/charges?{query})"
