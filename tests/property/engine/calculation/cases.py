"""Random submissions: small specifications, configurations and files full of awkward cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from core.documents import Document
from core.engine.dataset.specification import Specification, specification_from
from core.engine.tariff.configuration import Configuration, configuration_from

Yaml = dict[str, Any]
Row = dict[str, str]

ACTS = ("T1", "T2", "c4", "01", "10", "AND-X")
METHODS = ("1", "2", "03")
AREAS = {"E01000001": "D1", "E01000002": "D2", "W01000003": "D3", "W01000009": "D9"}
COUNTIES = {"D1": "C1", "D2": "C1", "D9": "C2"}
"""D3 stands alone."""
RESIDENCES = (*AREAS, "X99999999", "")
HOSTS = {"K-1": "D1", "K-2": "D3", "k-1": "D9", "K-3": "C1"}


@dataclass(frozen=True)
class Case:
    specification: Yaml
    configuration: Yaml
    files: list[list[Row]]

    @property
    def rows(self) -> list[Row]:
        return [row for rows in self.files for row in rows]

    def parsed(self) -> tuple[Specification, Configuration]:
        specification = specification_from(Document("specification", self.specification, {}))
        document = Document("configuration", self.configuration, {})
        return specification, configuration_from(document, specification)


def specification(on_conflict: str) -> Yaml:
    return {
        "dataset": "small",
        "version": "1",
        "title": "Small",
        "fields": [
            {"name": "Clinic", "role": "clinic", "required": True},
            {"name": "Patient", "role": "patient", "required": True},
            {"name": "Day", "role": "date", "type": "date", "required": True},
            {"name": "Home", "role": "residence", "type": "lsoa"},
            {
                "name": "Act",
                "type": "code",
                "codes": "act",
                "repeat": 2,
                "on_conflict": on_conflict,
            },
            {"name": "Main Method", "type": "code", "codes": "method"},
        ],
        "code_lists": {"act": dict.fromkeys(ACTS, ""), "method": dict.fromkeys(METHODS, "")},
    }


CONDITIONS = st.sampled_from(
    [f"Act = {code}" for code in ACTS] + [f"Main Method = {code}" for code in METHODS]
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    first = draw(CONDITIONS)
    rest = draw(
        st.lists(st.tuples(st.sampled_from([" AND ", " AND NOT "]), CONDITIONS), max_size=2)
    )
    return first + "".join(joint + condition for joint, condition in rest)


RATES = st.sampled_from(["0.00", "10.00", "10.00", "44.57", "28.18", "17.68", "0.05", "239.63"])
FACTORS = st.sampled_from([None, "1.17", "1.02", "0", "0.995", "1.10000"])


@st.composite
def configurations(draw: st.DrawFn) -> Yaml:
    codes = draw(st.sampled_from([["A", "B", "C"], [f"N{n}" for n in range(70)]]))
    some = st.sampled_from(codes[:3] + codes[-3:])
    currencies = [
        {
            "code": code,
            "name": code,
            "primary": draw(RATES) if draw_it else "1.00",
            "additional": draw(RATES) if draw_it else "1.00",
            "cross_charge": draw(CROSS_CHARGES) if draw_it else "full",
            "triggers": draw(st.lists(statements(), max_size=3)) if draw_it else [],
        }
        for number, code in enumerate(codes)
        for draw_it in [number < 3 or number >= len(codes) - 3]
    ]
    factor = draw(FACTORS)
    combinations = st.lists(
        st.fixed_dictionaries(
            {
                "if": st.lists(some, min_size=1, max_size=3),
                "then": st.lists(some, max_size=2),
            }
        ),
        max_size=4,
    )
    return {
        "configuration": "random",
        "dataset": "small",
        "status": "live",
        "start": "2017-04-01",
        "end": "2017-04-30",
        "providers": {"ZX1": {} if factor is None else {"factor": factor}},
        "commissioners": {
            district: {} if weight is None else {"geo_weighting": weight}
            for district, weight in draw(
                st.dictionaries(st.sampled_from(["D1", "D2", "D9", "C1", "C2"]), FACTORS)
            ).items()
        },
        "currencies": currencies,
        "combinations": draw(combinations),
    }


CROSS_CHARGES = st.sampled_from(["full", "local_unlimited", "local_limited", "none"])


def code_as_written(codes: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Listed codes, in capitals or small letters, with zeros before numbers or without."""
    odd = [code.lower() for code in codes] + [code.upper() for code in codes]
    odd += [f"00{code}" for code in codes if code.isdigit()]
    odd += [code.lstrip("0") for code in codes if code.isdigit()]
    return st.sampled_from(["", "", *codes, *odd])


@st.composite
def rows(draw: st.DrawFn) -> Row:
    return {
        "Clinic": draw(st.sampled_from(list(HOSTS))),
        "Patient": draw(st.sampled_from(["1", "01", 'p,"2'])),
        "Day": draw(st.sampled_from(["2017-04-01", "2017-04-02"])),
        "Home": draw(st.sampled_from(RESIDENCES)),
        "Act 1": draw(code_as_written(ACTS)),
        "Act 2": draw(code_as_written(ACTS)),
        "Main Method": draw(code_as_written(METHODS)),
    }


@st.composite
def cases(draw: st.DrawFn, on_conflict: str | None = None) -> Case:
    conflict = on_conflict or draw(st.sampled_from(["overwrite", "union"]))
    files = st.lists(st.lists(rows(), max_size=6), min_size=1, max_size=3)
    return Case(specification(conflict), draw(configurations()), draw(files))
