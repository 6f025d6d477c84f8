"""Configurations, to read: the parties, the currencies and their rates, who pays."""

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
from core.vocabulary.permissions import Action
from portal import words
from portal.components.tariff_import import show_import
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
    if person.may(Action.PUBLISH_CONFIGURATION):
        show_import(person)
    with engine().connect() as connection:
        configurations = readable_configurations(connection)
        areas = register_in_use(connection).names
        datasets = dataset_titles(connection)
    if not configurations:
        st.info(
            "No configuration has been imported yet, so no month can be calculated. An operator "
            "brings one in with `grouper import`."
        )
        return
    readable = _choose(configurations)
    _head(person, readable.configuration, areas, datasets)
    if readable.why:
        st.caption(
            f"Revision {readable.revision}, from {words.month(readable.holds_from)}: "
            f"{words.plain(readable.why)}"
        )
    search = st.text_input("Search", placeholder="a currency, a code, a word", key="search-tariff")
    search_words = words_of(search)
    currencies, parties, combinations = st.tabs(["Currencies", "Who takes part", "Combinations"])
    with currencies:
        _show_currencies(readable, search_words)
    with parties:
        _show_parties(person, readable.configuration, areas, search_words)
    with combinations:
        _show_combinations(readable.configuration, search_words)


def _choose(configurations: list[Readable]) -> Readable:
    names = [_address(readable, configurations) for readable in configurations]
    in_address = st.query_params.get("configuration")
    chosen = st.selectbox(
        "Configuration",
        configurations,
        index=names.index(in_address) if in_address in names else 0,
        format_func=lambda readable: _title(readable, configurations),
    )
    st.query_params["configuration"] = _address(chosen, configurations)
    return chosen


def _title(readable: Readable, configurations: list[Readable]) -> str:
    """The title, with the revision where there are several."""
    tariff = readable.configuration
    title = tariff.title or tariff.configuration
    if readable == _latest(readable, configurations) and readable.revision == 1:
        return title
    return f"{title}, revision {readable.revision}, from {words.month(readable.holds_from)}"


def _address(readable: Readable, configurations: list[Readable]) -> str:
    """The name in the address of the page: of earlier revisions with their number."""
    name = readable.configuration.configuration
    latest = _latest(readable, configurations)
    return name if readable == latest else f"{name} {readable.revision}"


def _latest(readable: Readable, configurations: list[Readable]) -> Readable:
    name = readable.configuration.configuration
    of_name = (each for each in configurations if each.configuration.configuration == name)
    return max(of_name, key=lambda each: each.revision)


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
    own_names = [
        words.plain(str(membership.name))
        for membership in person.memberships
        if membership.code in tariff.providers or membership.code in tariff.commissioners
    ]
    if own_names:
        st.markdown(f"{' and '.join(dict.fromkeys(own_names))} takes part.")


def _first_due(tariff: Configuration) -> dt.date:
    return last_day_for(tariff.start, tariff.submit_within_days)


def _show_currencies(readable: Readable, search_words: list[str]) -> None:
    tariff = readable.configuration
    rows = [
        (currency, currency_sentence(currency, readable.specification))
        for currency in tariff.currencies
    ]
    fitting = [row for row in rows if fits(search_words, row[0].code, row[0].name, row[1])]
    if not fitting:
        st.write("No currency has these words.")
        return
    st.table(
        {
            "Currency": [
                words.plain(words.named(currency.code, currency.name)) for currency, _ in fitting
            ],
            "Primary": [_rate(tariff, currency.primary) for currency, _ in fitting],
            "Additional": [_rate(tariff, currency.additional) for currency, _ in fitting],
            "Charged when": [words.plain(sentence) for _, sentence in fitting],
            "Who pays": [CROSS_CHARGE[currency.cross_charge] for currency, _ in fitting],
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
    person: Person, tariff: Configuration, areas: dict[str, str], search_words: list[str]
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
            search_words,
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
            search_words,
        )


def _factor(factor: object, none: str) -> str:
    return none if factor is None else f"{factor}"


def _table(
    heading: str, rows: list[tuple[str, str, str]], last: str, search_words: list[str]
) -> None:
    fitting = [row for row in rows if fits(search_words, *row)]
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


def _show_combinations(tariff: Configuration, search_words: list[str]) -> None:
    if not tariff.combinations:
        st.write("Nothing is combined: every currency that fires is charged.")
        return
    st.write("What may not be charged together, in the order in which it is looked at:")
    sentences = [combination_sentence(combination) for combination in tariff.combinations]
    lines = [
        f"{number}. {words.plain(sentence)}"
        for number, sentence in enumerate(sentences, start=1)
        if fits(search_words, sentence)
    ]
    st.markdown("\n".join(lines) or "None has these words.")
