"""A field of a data set: its columns, its headings, and what its values may be."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field as PydanticField
from pydantic import field_validator, model_validator

from core.documents import StrictModel
from core.engine.columns.as_read import text_as_read

Role = Literal["clinic", "patient", "date", "residence", "provider"]
KEY_ROLES: tuple[Role, ...] = ("clinic", "patient", "date")
"""The roles whose fields together name an episode; they are always required."""
FieldType = Literal["text", "integer", "date", "code", "lsoa", "snomed"]


CODED_TYPES: tuple[FieldType, ...] = ("code", "snomed")

_NOT_COUNTED = re.compile(r"[\s_.\-\u2010-\u2015\u2212]+")


def heading_key(heading: str) -> str:
    """A heading in lower case, without white space, ``_``, ``.`` and hyphens, to be compared."""
    return _NOT_COUNTED.sub("", text_as_read(heading)).casefold()


def query_name(name: str) -> str:
    """A field's name as a query writes it: ``Status of Main Activity`` is
    ``status_of_main_activity``."""
    return re.sub(r"\W+", "_", name.lower()).strip("_")


class Field(StrictModel):
    """One field of the data set; with ``repeat`` it is as many columns ``NAME 1`` … ``NAME n``.

    Fields with the same ``group`` belong together within one record, such as an activity with its
    site. ``same_as`` names a map of the data set, from its codes to those of another list.
    """

    name: str = PydanticField(min_length=1)
    title: str | None = PydanticField(default=None, min_length=1)
    aliases: tuple[str, ...] = ()
    role: Role | None = None
    type: FieldType = "text"
    required: bool = False
    max_length: int | None = PydanticField(default=None, ge=1)
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    codes: str | None = None
    same_as: str | None = None
    group: str | None = PydanticField(default=None, min_length=1)
    repeat: int | None = PydanticField(default=None, ge=1)
    on_conflict: Literal["overwrite", "union"] = "overwrite"
    transpose_from: tuple[str, ...] = ()

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @model_validator(mode="before")
    @classmethod
    def _names_the_episode(cls, value: object) -> object:
        """Without one of these, records of strangers would be one episode."""
        if not isinstance(value, dict) or value.get("role") not in KEY_ROLES:
            return value
        if value.get("required") is False:
            raise ValueError(f"the {value['role']} names the episode, so it is always required")
        return value | {"required": True}

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type != "snomed" and (self.type == "code") != (self.codes is not None):
            raise ValueError("a field of type code names its code list in `codes`, others do not")
        limits = (self.pattern, self.max_length, self.minimum, self.maximum)
        if self.type == "snomed" and any(limit is not None for limit in limits):
            raise ValueError("a field of type snomed has its own form: leave out what limits it")
        if self.same_as is not None and self.type not in CODED_TYPES:
            raise ValueError("`same_as` needs a field of codes: type code or snomed")
        if self.transpose_from and not self.repeat:
            raise ValueError("`transpose_from` needs `repeat`: codes of many rows fill many slots")
        if self.group is not None:
            self._fits_a_group()
        return self

    def _fits_a_group(self) -> None:
        if self.role is not None:
            raise ValueError(f"the {self.role} belongs to the episode, so it is in no group")
        if self.repeat is not None:
            raise ValueError("a field of a group has one value a record: leave out `repeat`")
        if self.on_conflict == "overwrite" and "on_conflict" in self.model_fields_set:
            raise ValueError("the records of a group are united: leave out `on_conflict`")

    @property
    def label(self) -> str:
        """How people read the field."""
        return self.title or self.name

    @property
    def in_full(self) -> str:
        """Its name, and its title behind it where that is another."""
        return self.name if self.label == self.name else f"{self.name} ({self.title})"

    @property
    def is_coded(self) -> bool:
        """Whether its values are codes, which triggers can ask for by what they mean."""
        return self.type in CODED_TYPES

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the standard layout that hold this field."""
        if self.repeat is None:
            return (self.name,)
        return tuple(f"{self.name} {slot}" for slot in range(1, self.repeat + 1))

    @property
    def headings(self) -> dict[str, tuple[str, ...]]:
        """The headings that each column goes by: its own first, then the aliases.

        A heading without a slot number is the first slot, unless it carries codes to transpose.
        """
        headings: dict[str, tuple[str, ...]] = {}
        for slot, column in enumerate(self.columns, start=1):
            names = [column, *(a.replace("{n}", str(slot)) for a in self.aliases if "{n}" in a)]
            if slot == 1:
                names += [name for name in (self.name, *self.aliases) if "{n}" not in name]
            headings[column] = tuple(names if self.repeat is None else self._with_slot(names))
        return headings

    @property
    def slot_forms(self) -> tuple[str, ...]:
        """The keys of the headings of slots, with ``{n}`` for the number."""
        numbered = (self.name + " {n}", *(alias for alias in self.aliases if "{n}" in alias))
        return tuple(dict.fromkeys(heading_key(name) for name in numbered))

    def _with_slot(self, names: list[str]) -> list[str]:
        carriers = {heading_key(name) for name in self.transpose_from}
        return [name for name in names if heading_key(name) not in carriers]
