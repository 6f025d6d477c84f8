"""Organisations and clinics on the page Accounts: add, rename, merge, place."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.access.people import Person
from core.accounts import organisations as commands
from core.accounts.clinics import ClinicRow, add_or_place_clinic, list_clinics
from core.accounts.organisations import OrganisationRow
from core.areas.register_store import register_in_use
from core.engine.areas.register import AreaRegister
from portal import words
from portal.acting import act
from portal.database import engine
from portal.lazy_tabs import show_in_popover

SHOWN = 60


def show_organisations(person: Person) -> None:
    """The section of the page."""
    with st.expander("Add an organisation"):
        _add(person)
    search = st.text_input("Search", placeholder="a name, also a former one, or a code")
    with engine().connect() as connection:
        everything = commands.list_organisations(connection, person.scope)
        organisations = commands.list_organisations(connection, person.scope, search=search)
    if not organisations:
        st.write("No organisation fits.")
    for organisation in organisations[:SHOWN]:
        _show(person, organisation, everything)


def _add(person: Person) -> None:
    with st.form("add-organisation", border=False, clear_on_submit=True):
        left, right = st.columns(2)
        kind = left.selectbox("Kind", ["provider", "commissioner"])
        code = right.text_input("Code", help="ODS code of a provider, area code of a commissioner")
        name = left.text_input("Name")
        part_of = right.text_input(
            "Second contract of", help="The code of a provider whose quasi-organisation this is"
        )
        address = st.text_area("Address, for invoices", height=80)
        if st.form_submit_button("Add", type="primary"):
            act(
                lambda c: commands.add_organisation(
                    c,
                    "provider" if kind == "provider" else "commissioner",
                    code,
                    name,
                    address=address,
                    part_of=part_of.strip() or None,
                    user_id=person.id,
                ),
                f"{name} is added",
            )


def _show(person: Person, organisation: OrganisationRow, everything: list[OrganisationRow]) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            gone = " :gray-badge[merged]" if organisation.merged_into else ""
            st.markdown(f"**{words.plain(organisation.name)}** ({organisation.code}){gone}")
            st.caption(_facts(organisation))
        with right:
            show_in_popover(
                "Change",
                f"organisation-{organisation.id}",
                partial(_change, person, organisation, everything),
            )


def _facts(organisation: OrganisationRow) -> str:
    facts = [organisation.kind.capitalize()]
    if organisation.kind == "provider":
        facts.append(words.count(organisation.clinics, "clinic"))
    if organisation.part_of:
        facts.append(f"second contract of {words.plain(organisation.part_of)}")
    if organisation.merged_into:
        facts.append(f"part of {words.plain(organisation.merged_into)}")
    facts += [f"formerly {words.plain(name)}" for name in organisation.old_names]
    return ", ".join(facts) + "."


def _change(
    person: Person, organisation: OrganisationRow, everything: list[OrganisationRow]
) -> None:
    code = organisation.code
    name = st.text_input("Name", value=organisation.name, key=f"name-{code}")
    if st.button("Rename", key=f"rename-{code}", disabled=name == organisation.name):
        act(
            lambda c: commands.rename_organisation(c, code, name, user_id=person.id),
            f"It is called {name}",
        )
    address = st.text_area("Address", value=organisation.address or "", key=f"address-{code}")
    if st.button("Keep the address", key=f"move-{code}"):
        act(lambda c: commands.change_address(c, code, address, user_id=person.id), "Kept")
    st.divider()
    if organisation.merged_into:
        if st.button("Make it its own again", key=f"part-{code}"):
            act(lambda c: commands.undo_merge(c, code, user_id=person.id), "Undone")
        return
    _merge(person, organisation, everything)


def _merge(
    person: Person, organisation: OrganisationRow, everything: list[OrganisationRow]
) -> None:
    codes = [
        other.code
        for other in everything
        if other.kind == organisation.kind and other.id != organisation.id and not other.merged_into
    ]
    into = st.selectbox("Merge into", codes, index=None, key=f"into-{organisation.code}")
    st.caption("Months and charges stay under their own code; it can be undone.")
    merge = st.button("Merge", key=f"merge-{organisation.code}", disabled=into is None)
    if merge and into is not None:
        act(
            lambda c: commands.merge_organisations(c, organisation.code, into, user_id=person.id),
            f"{organisation.name} is part of {into}",
        )


def show_clinics(person: Person) -> None:
    """The section of the page."""
    search = st.text_input("Search", placeholder="a clinic or a provider", key="find-clinic")
    with engine().connect() as connection:
        clinics = list_clinics(connection, person.scope, search=search)
        register = register_in_use(connection)
    if not clinics:
        st.write("No clinic fits. Clinics are found in the files that providers upload.")
    for clinic in clinics[:SHOWN]:
        _show_clinic(person, clinic, register)


def _show_clinic(person: Person, clinic: ClinicRow, register: AreaRegister) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            badge = "" if clinic.host else " :orange-badge[to be placed]"
            title = words.plain(clinic.name or clinic.clinic_id)
            provider = words.plain(clinic.provider_name)
            st.markdown(f"**{title}** ({words.plain(clinic.clinic_id)}), {provider}{badge}")
            host = register.names.get(clinic.host, clinic.host) if clinic.host else "nobody yet"
            address = words.plain(clinic.address or "No address")
            st.caption(f"Hosted by {words.plain(host)}. {address}.")
        with right:
            key = f"clinic-{clinic.provider}-{clinic.clinic_id}"
            show_in_popover("Change", key, partial(_place, person, clinic, register))


def _place(person: Person, clinic: ClinicRow, register: AreaRegister) -> None:
    key = f"{clinic.provider}-{clinic.clinic_id}"
    areas = sorted(register.names, key=lambda code: register.names[code])
    with st.form(f"place-{key}", border=False):
        name = st.text_input("Name", value=clinic.name or "")
        address = st.text_input("Address", value=clinic.address or "")
        host = st.selectbox(
            "Host authority",
            areas,
            index=areas.index(clinic.host) if clinic.host in areas else None,
            format_func=lambda code: f"{register.names[code]} ({code})",
        )
        if st.form_submit_button("Keep", type="primary") and host:
            act(
                lambda c: add_or_place_clinic(
                    c,
                    commands.find_organisation(c, "provider", clinic.provider).id,
                    clinic.clinic_id,
                    host,
                    name=name,
                    address=address,
                    register=register,
                    user_id=person.id,
                ),
                "Kept",
            )
