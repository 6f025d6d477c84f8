"""The page that describes the interface of the old service, written from the mapping.

``python -m core.migration.reading.api_page > docs/legacy-api.md`` writes the page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.migration.reading.mapping import Column, Table, shipped_mapping
from core.migration.reading.planning import plan_of

HEAD = Path(__file__).with_name("api_head.md")

_TYPES: dict[str, Any] = {
    "text": {"type": "string", "minLength": 1},
    "integer": {"type": "integer"},
    "decimal": {"type": ["string", "number"], "pattern": "^-?[0-9]{1,9}([.][0-9]{1,9})?$"},
    "pounds": {"type": ["string", "number"], "pattern": "^-?[0-9]{1,8}([.][0-9]{1,2})?$"},
    "date": {"type": "string", "format": "date"},
    "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
    "moment": {"type": "string", "format": "date-time"},
    "boolean": {"type": "boolean"},
    "authority": {"type": "string", "description": "area code of a district"},
    "values": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    "reference": {"type": "integer", "minimum": 1},
}


def api_page() -> str:
    """The page, as Markdown."""
    mapping = shipped_mapping()
    parts = [
        HEAD.read_text(encoding="utf-8"),
        *(_section(name, mapping.tables[name]) for name in plan_of(mapping)),
    ]
    return "\n".join(parts)


def schema_of(name: str, table: Table) -> dict[str, Any]:
    """The JSON schema of a row."""
    own = {"id": {"type": "integer", "minimum": 1}, "changedAt": _TYPES["moment"]}
    columns = {column: _property(each) for column, each in table.columns.items()}
    required = [column for column, each in table.columns.items() if each.required]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "type": "object",
        "properties": {**own, **columns},
        "required": ["id", "changedAt", *required],
    }


def _property(column: Column) -> dict[str, Any]:
    schema = {"enum": list(column.codes)} if column.codes else dict(_TYPES[column.kind])
    if column.to is not None:
        schema["description"] = f"id of {column.to}"
    if column.required:
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def _section(name: str, table: Table) -> str:
    return "\n".join([f"### {name}", f"{table.title}. {_goes(table)}", "", *_columns(table), "",
                      "```json", json.dumps(schema_of(name, table)), "```", ""])  # fmt: skip


def _goes(table: Table) -> str:
    if table.goes_to is None:
        return "Stored as sent."
    if table.part_of is not None:
        return f"Put together with others in our table `{table.part_of}`."
    together = ", written together with all of the same file or month" if table.bulk else ""
    gone = " What is gone there goes here too." if table.removed else ""
    return f"Goes to our table `{table.goes_to}`{together}.{gone}"


def _columns(table: Table) -> Iterator[str]:
    yield "| column | what it is | here |"
    yield "|---|---|---|"
    for name, column in table.columns.items():
        what = f"id of {column.to}" if column.to else column.kind
        nullable = "" if column.required else ", may be null"
        yield f"| {name} | {what}{nullable} | {column.into or ''} |"
    yield from _names(table)


def _names(table: Table) -> Iterator[str]:
    """The names of the old service that differ from ours."""
    for column in table.columns.values():
        if column.same_as:
            named = "; ".join(f"{theirs}: `{ours}`" for theirs, ours in column.same_as.items())
            yield f"\nThese are indicators of ours: {named}."


if __name__ == "__main__":
    sys.stdout.write(api_page())
