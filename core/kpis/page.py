"""The page on indicators, written from the shipped library and the shipped data set.

``python -m core.kpis.page`` writes it to standard output, for docs/kpis.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from core.engine.dataset.fields import Field, query_name
from core.engine.dataset.specification import Specification, load_specification
from core.kpis.definitions import Kpi, shipped_library
from core.kpis.views import schema_name

DATASET = Path(__file__).parents[1] / "engine" / "dataset" / "library" / "sexual-health.yaml"

_INTRODUCTION = """\
# Indicators
Made by `python -m core.kpis.page`; a test compares.

An indicator is data: a name, words, a unit, bands, and one `SELECT` that reads the views of one \
submission and gives one row with two numbers, `numerator` and `denominator`. Units are `percent` \
(the numerator is a part of the denominator), `pounds`, `per 1,000` and `ratio`. With `better` \
(`higher` or `lower`) there may be `bands`: from where on a figure is `good`, and from where `fair`.

Every published indicator is measured for every run, draft or final, a moment after it; one that \
is published later is measured for the months of the last 400 days too. A new version replaces the \
one before, which is kept. Who may edit configurations may write one and try it on a month; who \
may publish configurations publishes it. `grouper kpis import FILE` publishes a file of them.

A query runs as a role of the database that can read these views and nothing else: no other \
submission, no other table, no file. It may take `GROUPER_KPI_SECONDS` (30), cannot write, and \
whatever it does is rolled back. It may call functions that depend on their arguments alone, and \
the usual ones of dates; none that sets, locks, waits or shows other sessions. What goes wrong \
with it is written in the place of its figure, as the kind of the error and its place, without a \
word of the database, which may hold a value; the other indicators are measured all the same.

A trial shows its author what the author may see: a commissioner tries on the episodes and charges \
of its own areas, a provider on its own months. Who may see figures but no patients gets figures \
that rest on at least `GROUPER_KPI_PATIENTS` (10) patients, to three digits: the query is carried \
out again without some of the patients, and a figure that stays as it is without most of them \
rests on a few.

Figures of months that were taken over from the old service stand as it gave them, and are marked. \
An indicator that only the old service had is `taken over`: its figures are shown, nothing here \
measures it. Whoever writes a query for it and publishes that has later months measured, and the \
old figures stay ([migration.md](migration.md)).

Others' figures are shown as quartiles of the submitted months of other providers, from three of \
them on, without names.
"""
_CHARGES = (
    ("clinic_id, patient_id", "text", ""),
    ("attendance_date", "date", ""),
    ("currency, rate_type", "text", "rate_type is primary or additional"),
    ("rate, factor, amount", "number", "pounds; amount is 0 where nobody pays"),
    ("commissioner", "text", "who pays; null: nobody"),
    ("basis", "text", "resident, host or none"),
    ("host", "text", "the commissioner that hosts the clinic"),
)


def page() -> str:
    """The whole page."""
    specification = load_specification(DATASET)
    return "\n".join([_INTRODUCTION, *_views(specification), "", *_library(), ""])


def _views(specification: Specification) -> Iterator[str]:
    yield f"## What a query can read\nIn schema `{schema_name(specification.dataset)}`, which it "
    yield "need not name. `episodes` has a row an episode, `records` a row a record as uploaded "
    yield "and corrected (with `file` and `row` in the place of `records`).\n"
    yield "| episodes, records | type |\n|---|---|"
    yield from (f"| {query_name(field.name)} | {_type(field)} |" for field in specification.fields)
    yield "| records | integer: how many were merged |\n"
    yield "| charges | type | |\n|---|---|---|"
    yield from (f"| {name} | {kind} | {meaning} |" for name, kind, meaning in _CHARGES)


def _type(field: Field) -> str:
    if field.repeat is not None:
        return "text[]: the codes of all slots"
    if field.group is not None:
        return "array: the different values of the episode's records"
    return {"date": "date", "integer": "integer"}.get(field.type, "text")


def _library() -> Iterator[str]:
    yield "## The indicators that ship with the product"
    for kpi in shipped_library().kpis:
        yield f"### {kpi.title}\n{kpi.description} *{_reading(kpi)}* Source: {kpi.source}\n"
        yield f"`{kpi.kpi}`\n```sql\n{kpi.sql.strip()}\n```"


def _reading(kpi: Kpi) -> str:
    if kpi.bands is None:
        return f"{kpi.unit.capitalize()}."
    at = "from" if kpi.better == "higher" else "up to"
    return f"{kpi.unit.capitalize()}; good {at} {kpi.bands.good}, fair {at} {kpi.bands.fair}."


if __name__ == "__main__":
    sys.stdout.write(page())
