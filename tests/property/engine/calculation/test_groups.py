"""Groups, WITH, NOT and same_as agree with a slow reference that reads record after record."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.documents import Document
from core.engine.calculation.episodes import merge_records
from core.engine.calculation.triggering import fire
from core.engine.dataset.specification import Specification, specification_from
from core.engine.tariff.configuration import configuration_from

MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SAME = {"activity": {"22298006": "T1", "404684003": "X9", "T2": "T1"}, "slots": {"A": "T1"}}
CODES = {
    "Slot": ["A", "B", "T1"],
    "Kind": ["A", "B"],
    "Activity": ["T1", "T2", "22298006", "404684003", "73211009"],
    "Site": ["R", "O"],
    "Drug": ["A", "B"],
    "Dose": ["1", "2"],
}
ASKED = {**CODES, "Activity": [*CODES["Activity"], "X9"]}
GROUPS = {"Activity": "activity", "Site": "activity", "Drug": "treatment", "Dose": "treatment"}
SAME_AS = {"Activity": SAME["activity"], "Slot": SAME["slots"]}
COLUMNS = ["Slot 1", "Slot 2", "Kind", "Activity", "Site", "Drug", "Dose"]

DOCUMENT = {
    "dataset": "grouped",
    "version": "1",
    "title": "Grouped",
    "fields": [
        {"name": "Clinic", "role": "clinic"},
        {"name": "Patient", "role": "patient"},
        {"name": "Day", "role": "date", "type": "date"},
        {"name": "Slot", "type": "code", "codes": "slot", "repeat": 2, "same_as": "slots"},
        {"name": "Kind", "type": "code", "codes": "kind"},
        {
            "name": "Activity",
            "type": "snomed",
            "codes": "act",
            "same_as": "activity",
            "group": "activity",
        },
        {"name": "Site", "type": "code", "codes": "site", "group": "activity"},
        {"name": "Drug", "type": "code", "codes": "kind", "group": "treatment"},
        {"name": "Dose", "type": "code", "codes": "dose", "group": "treatment"},
    ],
    "maps": SAME,
    "code_lists": {
        "slot": dict.fromkeys(CODES["Slot"], ""),
        "kind": dict.fromkeys("AB", ""),
        "act": {"T1": "", "T2": ""},
        "other": {"T1": "", "X9": ""},
        "site": dict.fromkeys("RO", ""),
        "dose": dict.fromkeys("12", ""),
    },
}
SPECIFICATION: Specification = specification_from(Document("grouped", DOCUMENT, {}))

Record = dict[str, str | None]


@dataclass(frozen=True)
class Condition:
    """A condition as it was made up: the text is written from it, and never read here."""

    parts: list[tuple[str, str]]
    negated: bool = False

    @property
    def text(self) -> str:
        parts = " WITH ".join(f"{name} = {code}" for name, code in self.parts)
        return f"NOT {parts}" if self.negated else parts


@dataclass(frozen=True)
class Case:
    records: list[Record]
    statements: list[list[Condition]] = field(default_factory=list)


def held(name: str, recorded: str | None, code: str) -> bool:
    return recorded is not None and (
        recorded == code or SAME_AS.get(name, {}).get(recorded) == code
    )


def reference_holds(condition: Condition, episode: list[Record]) -> bool:
    name, code = condition.parts[0]
    if name in GROUPS:
        found = any(
            all(held(each, record[each], wanted) for each, wanted in condition.parts)
            for record in episode
        )
    else:
        columns = ["Slot 1", "Slot 2"] if name == "Slot" else [name]
        latest: Record = dict.fromkeys(columns)
        for record in episode:
            for column in columns:
                latest[column] = record[column] or latest[column]
        found = any(held(name, value, code) for value in latest.values())
    return found != condition.negated


def reference_groups(episode: list[Record], group: str) -> list[tuple[str | None, ...]]:
    names = [name for name, of_group in GROUPS.items() if of_group == group]
    entries: list[tuple[str | None, ...]] = []
    for record in episode:
        entry = tuple(record[name] for name in names)
        if any(entry) and entry not in entries:
            entries.append(entry)
    return entries


def episodes_of(records: list[Record]) -> list[list[Record]]:
    by_key: dict[tuple[str | None, ...], list[Record]] = {}
    for record in records:
        key = tuple(record[name] for name in ("Clinic", "Patient", "Day"))
        by_key.setdefault(key, []).append(record)
    return list(by_key.values())


@st.composite
def records(draw: st.DrawFn) -> Record:
    record: Record = {"Clinic": "K", "Patient": draw(st.sampled_from("123")), "Day": "2019-04-01"}
    for column in COLUMNS:
        record[column] = draw(st.sampled_from([None, *CODES[column.split()[0]]]))
    return record


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(list(ASKED)))
    parts = [(name, draw(st.sampled_from(ASKED[name])))]
    others = [other for other, group in GROUPS.items() if group == GROUPS.get(name, "")]
    for other in others:
        if other != name and draw(st.booleans()):
            parts.append((other, draw(st.sampled_from(ASKED[other]))))
    return Condition(parts, draw(st.booleans()))


@st.composite
def statements(draw: st.DrawFn) -> list[Condition]:
    first = draw(conditions())
    return [Condition(first.parts), *draw(st.lists(conditions(), max_size=2))]


CASES = st.builds(
    Case,
    st.lists(records(), min_size=1, max_size=8),
    st.lists(statements(), min_size=1, max_size=6),
)


def table_of(rows: list[Record]) -> pa.Table:
    """The records in chunks of three, each with dictionaries of its own."""
    names = ["Clinic", "Patient", "Day", *COLUMNS]
    parts = []
    for at in range(0, len(rows), 3):
        cells = {name: [row[name] for row in rows[at : at + 3]] for name in names}
        coded = {name: pa.array(cells[name], pa.string()).dictionary_encode() for name in names}
        parts.append(pa.table(coded))
    table = pa.concat_tables(parts)
    table = table.append_column("file", pa.array([0] * len(rows), pa.int32()))
    return table.append_column("row", pa.array(range(2, len(rows) + 2), pa.int32()))


@MANY
@given(CASES)
def test_statements_fire_as_the_reference_says(case: Case) -> None:
    document = {
        "configuration": "c",
        "dataset": "grouped",
        "status": "live",
        "start": "2019-04-01",
        "end": "2020-03-31",
        "providers": {"ZX1": {}},
        "currencies": [
            {
                "code": f"C{number}",
                "primary": "1.00",
                "additional": "1.00",
                "cross_charge": "full",
                "triggers": [" AND ".join(each.text for each in statement)],
            }
            for number, statement in enumerate(case.statements)
        ],
    }
    configuration = configuration_from(Document("c", document, {}), SPECIFICATION)
    merged = merge_records(table_of(case.records), SPECIFICATION)
    fired = fire(merged, configuration, SPECIFICATION)
    episodes = episodes_of(case.records)
    assert merged.episodes.num_rows == len(episodes)
    for number, episode in enumerate(episodes):
        start = fired.starts[fired.signature[number]]
        found = fired.currency[start : start + fired.counts[fired.signature[number]]].tolist()
        expected = [
            place
            for place, statement in enumerate(case.statements)
            if all(reference_holds(condition, episode) for condition in statement)
        ]
        assert found == expected
    written = [str(trigger.statement) for trigger in fired.triggers]
    assert written == [" AND ".join(each.text for each in one) for one in case.statements]


@MANY
@given(st.lists(records(), min_size=1, max_size=12))
def test_groups_are_united_and_nothing_is_overwritten(rows: list[Record]) -> None:
    merged = merge_records(table_of(rows), SPECIFICATION)
    for group in ("activity", "treatment"):
        united = merged.groups[group]
        columns = [column.to_array().to_pylist() for column in united.columns.values()]
        entries = list(zip(*columns, strict=True))
        for number, episode in enumerate(episodes_of(rows)):
            mine = [
                entry for entry, of in zip(entries, united.episode, strict=True) if of == number
            ]
            assert mine == reference_groups(episode, group)
