"""Configurations, to read: who takes part, what is charged when and at which rate, who pays."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.access.people import Person
from core.accounts.today import today
from core.areas.register_store import register_in_use
from core.configurations.configuration_list import Readable, names_seen, readable_configurations
from core.configurations.datasets import dataset_titles
from core.engine.tariff.configuration import Configuration, Status
from core.engine.tariff.sentences import combination_sentence, currency_sentence
from core.submissions.months_expected import last_day_for
from portal import words
from portal.database import engine
from portal.searching import fits, words_of

CROSS_CHARGE = {
    "full": "where the patient lives; if that is not known, the clinic's host",
    "local_unlimited": "where the patient lives, if it takes part; if that is not known, the "
    "clinic's host; else nobody",
    "local_limited": "where the patient lives, if it takes part; else nobody",
    "none": "the clinic's host",
}
_STATES = {Status.LIVE: "green", Status.SHADOW: "orange", Status.ARCHIVED: "gray"}


def show(person: Person) -> None:
    """The page."""
    st.title("Configurations")
    with engine().connect() as connection:
        found = readable_configurations(connection)
        areas = register_in_use(connection).names
        datasets = dataset_titles(connection)
    if not found:
        st.info(
            "No configuration has been imported yet, so no month can be calculated. An operator "
            "brings one in with `grouper import`."
        )
        return
    readable = _choose(found)
    _head(person, readable.configuration, areas, datasets)
    search = st.text_input("Search", placeholder="a currency, a code, a word", key="search-tariff")
    wanted = words_of(search)
    currencies, parties, combinations = st.tabs(["Currencies", "Who takes part", "Combinations"])
    with currencies:
        _show_currencies(readable, wanted)
    with parties:
        _show_parties(person, readable.configuration, areas, wanted)
    with combinations:
        _show_combinations(readable.configuration, wanted)


def _choose(found: list[Readable]) -> Readable:
    names = [each.configuration.configuration for each in found]
    asked = st.query_params.get("configuration")
    chosen = st.selectbox(
        "Configuration",
        found,
        index=names.index(asked) if asked in names else 0,
        format_func=lambda each: each.configuration.title or each.configuration.configuration,
    )
    st.query_params["configuration"] = chosen.configuration.configuration
    return chosen


def _head(
    person: Person, tariff: Configuration, areas: dict[str, str], datasets: dict[str, str]
) -> None:
    colour = _STATES.get(tariff.status, "gray")
    begun = "In force" if tariff.start <= today() <= tariff.end else "For months"
    st.markdown(
        f":{colour}-badge[{tariff.status}] {begun} from {words.day(tariff.start)} to "
        f"{words.day(tariff.end)}. A month is submitted within {tariff.submit_within_days} days "
        f"of its end: {words.month(tariff.start)} by {words.day(_first_due(tariff))}."
    )
    if tariff.owner:
        owner = areas.get(tariff.owner, tariff.owner)
        dataset = datasets.get(tariff.dataset, tariff.dataset)
        st.caption(f"Lead commissioner: {words.plain(owner)}. Data set: {words.plain(dataset)}.")
    mine = [
        words.plain(str(each.name))
        for each in person.memberships
        if each.code in tariff.providers or each.code in tariff.commissioners
    ]
    if mine:
        st.markdown(f"{' and '.join(dict.fromkeys(mine))} takes part.")


def _first_due(tariff: Configuration) -> dt.date:
    return last_day_for(tariff.start, tariff.submit_within_days)


def _show_currencies(readable: Readable, wanted: list[str]) -> None:
    tariff = readable.configuration
    rows = [(each, currency_sentence(each, readable.specification)) for each in tariff.currencies]
    fitting = [row for row in rows if fits(wanted, row[0].code, row[0].name, row[1])]
    if not fitting:
        st.write("No currency has these words.")
        return
    st.table(
        {
            "Currency": [words.plain(words.named(each.code, each.name)) for each, _ in fitting],
            "Primary": [_rate(tariff, each.primary) for each, _ in fitting],
            "Additional": [_rate(tariff, each.additional) for each, _ in fitting],
            "Charged when": [words.plain(sentence) for _, sentence in fitting],
            "Who pays": [CROSS_CHARGE[each.cross_charge] for each, _ in fitting],
        },
        border="horizontal",
        hide_index=True,
        alt="The currencies of the configuration",
    )
    st.caption(
        "An episode's currency with the highest primary rate is charged at it; every other one at "
        "its additional rate."
    )


def _rate(tariff: Configuration, pence: int) -> str:
    return "not shown" if tariff.hide_rates else words.pounds(pence)


def _show_parties(
    person: Person, tariff: Configuration, areas: dict[str, str], wanted: list[str]
) -> None:
    with engine().connect() as connection:
        names = names_seen(connection, person.scope, list(tariff.providers))
    left, right = st.columns(2)
    with left:
        st.markdown("**Providers**")
        _table(
            "Provider",
            [
                (words.plain(names.get(code, "")) or "another provider", code,
                 _factor(provider.factor, "the weighting of the clinic's host"))
                for code, provider in tariff.providers.items()
            ],
            "Market forces factor",
            wanted,
        )  # fmt: skip
    with right:
        st.markdown("**Commissioners**")
        _table(
            "Commissioner",
            [
                (words.plain(areas.get(code, code)), code, _factor(member.geo_weighting, "none"))
                for code, member in tariff.commissioners.items()
            ],
            "Geo-weighting",
            wanted,
        )


def _factor(factor: object, none: str) -> str:
    return none if factor is None else f"{factor}"


def _table(heading: str, rows: list[tuple[str, str, str]], last: str, wanted: list[str]) -> None:
    fitting = [row for row in rows if fits(wanted, *row)]
    if not fitting:
        st.write("None has these words." if rows else "None is named.")
        return
    names, codes, factors = zip(*fitting, strict=True)
    st.table(
        {heading: names, "Code": codes, last: factors},
        border="horizontal",
        hide_index=True,
        alt=f"{heading}s that take part",
    )


def _show_combinations(tariff: Configuration, wanted: list[str]) -> None:
    if not tariff.combinations:
        st.write("Nothing is combined: every currency that fires is charged.")
        return
    st.write("What may not be charged together, in the order in which it is looked at:")
    told = [combination_sentence(each) for each in tariff.combinations]
    lines = [
        f"{number}. {words.plain(sentence)}"
        for number, sentence in enumerate(told, start=1)
        if fits(wanted, sentence)
    ]
    st.markdown("\n".join(lines) or "None has these words.")
