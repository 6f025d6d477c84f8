"""The differences between two specifications, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification

_OWN_WORDS = frozenset(("name", "required"))


def compare_specifications(before: Specification, after: Specification) -> list[str]:
    """What ``after`` changes, a sentence each: fields, code lists, checks; empty for nothing."""
    return [
        *_heads(before, after),
        *_fields(before, after),
        *_code_lists(before.code_lists, after.code_lists),
        *_others(before, after),
    ]


def _heads(before: Specification, after: Specification) -> Iterator[str]:
    if before.dataset != after.dataset:
        yield f"They are two data sets: {before.dataset} and {after.dataset}."
    if before.title != after.title:
        yield f"The title is {after.title!r} instead of {before.title!r}."
    if before.start != after.start:
        yield f"In force {_since(after)} instead of {_since(before)}."


def _since(specification: Specification) -> str:
    start = specification.start
    return f"from {start:%B %Y}" if start else "from the beginning"


def _fields(before: Specification, after: Specification) -> Iterator[str]:
    gone = {name: field for name, field in before.by_name.items() if name not in after.by_name}
    new = {name: field for name, field in after.by_name.items() if name not in before.by_name}
    for name, field in list(gone.items()):
        renamed = next((other for other, each in new.items() if _alike(field, each)), None)
        if renamed is not None:
            yield f"The field {name} is called {renamed} now."
            del gone[name], new[renamed]
    yield from (f"The field {name} is gone." for name in gone)
    for name, field in new.items():
        yield f"The field {name} is new: {field.type}{', required' if field.required else ''}."
    for name, field in before.by_name.items():
        if name in after.by_name:
            yield from _field(field, after.by_name[name])
    common = [name for name in before.by_name if name in after.by_name]
    if common != [name for name in after.by_name if name in before.by_name]:
        yield "The fields stand in another order."


def _alike(left: Field, right: Field) -> bool:
    """Whether one could be the other under another name."""
    own = {"name", "aliases", "title"}
    return left.model_dump(exclude=own) == right.model_dump(exclude=own)


def _field(before: Field, after: Field) -> Iterator[str]:
    if before.required != after.required:
        yield f"The field {after.name} is {'required now' if after.required else 'not required'}."
    values = before.model_dump(exclude=set(_OWN_WORDS))
    for attribute, value in after.model_dump(exclude=set(_OWN_WORDS)).items():
        if value != values[attribute]:
            label = attribute.replace("_", " ")
            yield (
                f"The field {after.name}: {label} is {_told(value)} instead of "
                f"{_told(values[attribute])}."
            )


def _told(value: object) -> str:
    if value is None or (isinstance(value, tuple | list | dict) and not value):
        return "none"
    if isinstance(value, tuple | list):
        return ", ".join(str(each) for each in value)
    return str(value)


def _code_lists(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for name in before:
        if name not in after:
            yield f"The code list {name} is gone."
    for name, codes in after.items():
        if name not in before:
            yield f"The code list {name} is new, with {len(codes):,} codes."
            continue
        yield from _codes(name, before[name], codes)


def _codes(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for code, label in before.items():
        if code not in after:
            yield f"{name}: the code {code} is gone ({label})."
    for code, label in after.items():
        if code not in before:
            yield f"{name}: the code {code} is new ({label})."
        elif label != before[code]:
            yield f"{name}: {code} means {label!r} instead of {before[code]!r}."


def _others(before: Specification, after: Specification) -> Iterator[str]:
    was, now = ({check.name: check for check in each.checks} for each in (before, after))
    yield from (f"The check {name} is gone." for name in was if name not in now)
    yield from (f"The check {name} is new: {now[name].message}" for name in now if name not in was)
    for name in now:
        if name in was and now[name] != was[name]:
            yield f"The check {name} is another: {now[name].message}"
    told = {"dataset", "version", "title", "start", "fields", "code_lists", "checks"}
    for attribute in type(after).model_fields:
        if attribute not in told and getattr(before, attribute) != getattr(after, attribute):
            yield f"The {attribute} are others."
