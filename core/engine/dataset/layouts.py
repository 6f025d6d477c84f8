"""Layouts of files: what the columns of files of one shape are (docs/formats.md, layouts).

A layout has some of the data set's fields, further headings of them, and fields that its files
must hold. Which layout a file has is told by its headings (``core/engine/dataset/headings.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import pyarrow as pa
from pydantic import BeforeValidator, model_validator
from pydantic import Field as PydanticField

from core.documents import StrictModel
from core.engine.dataset.fields import Field, heading_key

_LAYOUT = b"layout"

Path = tuple[str | int, ...]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Headings = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _FieldOfLayout(StrictModel):
    """A field of a layout, with its own headings and whether it is required there."""

    name: str
    headings: Headings = ()
    required: bool = False


class FileLayout(StrictModel):
    """Files of one shape: ``headings`` come beside the name and the aliases of a field.

    A field may be written with what the layout says of it: ``{name: …, headings: […], required:
    true}``.
    """

    name: str = PydanticField(min_length=1, max_length=40)
    fields: tuple[str, ...] = PydanticField(min_length=1)
    headings: dict[str, Headings] = PydanticField(default_factory=dict)
    required: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _with_what_fields_say(cls, value: object) -> object:
        if not isinstance(value, dict) or not isinstance(value.get("fields"), list):
            return value
        written = [
            _FieldOfLayout.model_validate(each)
            for each in value["fields"]
            if isinstance(each, dict)
        ]
        if not written:
            return value
        own = {each.name: each.headings for each in written if each.headings}
        required = [each.name for each in written if each.required]
        return value | {
            "fields": [
                each["name"] if isinstance(each, dict) else each for each in value["fields"]
            ],
            "headings": own | (value.get("headings") or {}),
            "required": [*(value.get("required") or []), *required],
        }

    def fields_of(self, fields: Sequence[Field]) -> tuple[Field, ...]:
        """The fields of the layout, with its headings and what it requires, in their order."""
        return tuple(self._adapted(field) for field in fields if field.name in self.fields)

    def _adapted(self, field: Field) -> Field:
        more = {
            "aliases": (*field.aliases, *self.headings.get(field.name, ())),
            "required": field.required or field.name in self.required,
        }
        return field.model_copy(update=more)


def layout_problems(
    layouts: Sequence[FileLayout], fields: Mapping[str, Field], key: Sequence[str]
) -> Iterator[tuple[Path, str]]:
    """What is wrong with layouts: the place of each problem, and its reason."""
    names: dict[str, int] = {}
    for number, layout in enumerate(layouts):
        place: Path = ("layouts", number)
        if names.setdefault(layout.name.casefold(), number) != number:
            yield (*place, "name"), f"two layouts are called {layout.name!r}"
        for path, text in (*_wrong_fields(layout, fields), *_wrong_names(layout)):
            yield (*place, *path), f"{layout.name}: {text}"
        for name in key:
            if name not in layout.fields:
                text = f"{layout.name}: {name!r} is not among its fields, but names the episode"
                yield (*place, "fields"), text


def _wrong_fields(layout: FileLayout, fields: Mapping[str, Field]) -> Iterator[tuple[Path, str]]:
    for at, name in enumerate(layout.fields):
        if name not in fields:
            yield ("fields", at), f"there is no field {name!r}"
        elif name in layout.fields[:at]:
            yield ("fields", at), f"{name!r} stands there twice"


def _wrong_names(layout: FileLayout) -> Iterator[tuple[Path, str]]:
    named: list[Path] = [("headings", name) for name in layout.headings]
    named += [("required", at) for at in range(len(layout.required))]
    for kind, at in named:
        name = layout.required[at] if isinstance(at, int) else at
        if name not in layout.fields:
            yield (kind, at), f"{name!r} is none of its fields"


def alike(one: Sequence[Field], other: Sequence[Field]) -> bool:
    """Whether no heading could tell files of two layouts apart."""
    return _shape(one) == _shape(other)


def _shape(fields: Sequence[Field]) -> tuple[dict[str, str], set[str]]:
    headings = {
        heading_key(heading): column
        for field in fields
        for column, names in field.headings.items()
        for heading in names
    }
    return headings, {field.name for field in fields if field.required}


def with_layout(table: pa.Table, layout: str | None) -> pa.Table:
    """The table with the name of its file's layout, which goes with it from step to step."""
    if layout is None:
        return table
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _LAYOUT: layout.encode()}
    )


def layout_name(table: pa.Table) -> str | None:
    """The layout of the file that the records came from; None where the data set has none."""
    name = (table.schema.metadata or {}).get(_LAYOUT)
    return None if name is None else name.decode()
