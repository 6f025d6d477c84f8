"""Reads the YAML documents that people write, with the line of each value."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from core.user_errors import DocumentError, Problem

Path_ = tuple[Hashable, ...]
"""The path of a value in a document, e.g. ``("currencies", 3, "primary")``."""


class StrictModel(BaseModel):
    """A part of a document: unknown keys are refused, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@dataclass(frozen=True)
class Document:
    """A parsed YAML document: plain values, and the line of each."""

    name: str
    data: Any
    lines: dict[Path_, int]

    def place(self, path: Path_) -> str:
        """``file:line`` of the value at ``path``, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"

    def problem(self, path: Path_, text: str) -> Problem:
        return Problem(self.place(path), text)

    def refused_by(self, error: ValidationError) -> DocumentError:
        """The findings of pydantic, each with its line."""
        return DocumentError([self._from_pydantic(dict(each)) for each in error.errors()])

    def _from_pydantic(self, error: dict[str, Any]) -> Problem:
        path = tuple(error["loc"])
        name = ".".join(str(part) for part in path)
        return self.problem(path, f"{name}: {error['msg']}" if name else str(error["msg"]))


def read_document(path: Path) -> Document:
    """Parses ``path``; raises ``DocumentError`` where it is missing, not YAML or no mapping."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        text = f"cannot be read ({error.strerror}); name a file that is there"
        raise DocumentError([Problem(str(path), text)]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DocumentError(
            [
                Problem(
                    f"{path}:{line}", f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
                )
            ]
        ) from error
    return parse_document(text, name=str(path))


def parse_document(text: str, *, name: str) -> Document:
    """As ``read_document``, from a text; problems name it ``name``."""
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:  # the scanner that is not in C reads at once
        raise _unreadable(name, text, error) from error
    _refuse_deep(text, name)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise DocumentError([Problem(f"{name}:1", "expected `name: value` lines")])
        _refuse_endless(node, name)
        problems = [Problem(f"{name}:{line}", text) for line, text in _odd_texts(node)]
        if problems:
            raise DocumentError(problems)
        problems = [
            Problem(f"{name}:{line}", f"`{key}` stands here a second time")
            for key, line in _repeated_keys(node)
        ]
        problems += [Problem(f"{name}:{line}", text) for line, text in _odd_numbers(node)]
        if problems:
            raise DocumentError(problems)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DocumentError([Problem(f"{name}:{line}", f"not YAML: {error.problem}")]) from error
    except yaml.reader.ReaderError as error:
        raise _unreadable(name, text, error) from error
    except RecursionError as error:
        raise DocumentError([Problem(f"{name}:1", f"not YAML: {_TOO_DEEP}")]) from error
    finally:
        loader.dispose()
    lines: dict[Path_, int] = {}
    _note_lines(node, (), lines)
    return Document(name, data, lines)


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


BOOL = "tag:yaml.org,2002:bool"
INTEGER, FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"

_DECIMAL = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|[+-]?\.[0-9]+")
"""Numbers as people write them; anything else that YAML takes for one means something else."""


_KINDS = {
    "tag:yaml.org,2002:timestamp": "date",
    BOOL: "truth value (true or false)",
    INTEGER: "whole number",
    FLOAT: "number",
}
_SHOWN = 40
"""Characters of a value that a refusal shows."""


class _Loader(_Base):  # type: ignore[misc]
    """Safe values only; the C scanner where it is built.

    YAML 1.1 also reads ``no`` and ``on`` as booleans; here they are texts, such as the key of a
    code list, and only ``true`` and ``false`` are booleans. Numbers with a point are exact.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own way to say it)
        first: [entry for entry in entries if entry[0] != BOOL or first in "tTfF"]
        for first, entries in _Base.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """As PyYAML, which fails without a line where a value is not of its tag (2017-02-30)."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
            kind = _KINDS.get(node.tag, "value of its tag")
            shown = str(node.value)[:_SHOWN]
            raise yaml.constructor.ConstructorError(
                None, None, f"{shown} is no {kind}; correct it", node.start_mark
            ) from error


def _exact(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(loader.construct_scalar(node))


_Loader.add_constructor(FLOAT, _exact)


MOST_DEPTH = 100
MOST_VALUES = 1_000_000
"""More than any document has; one that repeats its own parts grows without an end."""

_TOO_DEEP = f"its parts lie more than {MOST_DEPTH} deep in each other; write them side by side"


def _unreadable(name: str, text: str, error: yaml.reader.ReaderError) -> DocumentError:
    """The refusal of a text that holds a character which YAML does not allow."""
    line = text.count("\n", 0, error.position) + 1
    reason = f"holds the character U+{ord(text[error.position]):04X}, which is no text; delete it"
    return DocumentError([Problem(f"{name}:{line}", reason)])


def _refuse_deep(text: str, name: str) -> None:
    """Refuses a document by its depth before its nodes are made: that goes down as deep in C as
    they do, where no error is raised and the whole process dies."""
    loader = _Loader(text)
    depth = 0
    try:
        while (event := loader.get_event()) is not None:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_DEPTH:
                line = event.start_mark.line + 1
                raise DocumentError([Problem(f"{name}:{line}", f"not YAML: {_TOO_DEEP}")])
    except yaml.YAMLError:
        return  # told with its line by who reads it
    finally:
        loader.dispose()


def _refuse_endless(node: yaml.Node, name: str) -> None:
    """Refuses a document whose aliases make it larger than any, or a part of itself."""
    measured: dict[int, tuple[int, int]] = {}  # of each node: its values, and how deep they lie

    def measure(part: yaml.Node, depth: int) -> tuple[int, int]:
        if id(part) not in measured:
            if depth > MOST_DEPTH:
                raise _refused(part, _TOO_DEEP)
            inside = [measure(child, depth + 1) for child in _children(part)]
            values = 1 + sum(count for count, _ in inside)
            measured[id(part)] = values, 1 + max((height for _, height in inside), default=0)
        values, height = measured[id(part)]
        if depth + height > MOST_DEPTH:
            raise _refused(part, _TOO_DEEP)
        if values > MOST_VALUES:
            raise _refused(
                part, f"its aliases repeat more than {MOST_VALUES:,} values; take them out"
            )
        return values, height

    def _refused(part: yaml.Node, text: str) -> DocumentError:
        return DocumentError([Problem(f"{name}:{part.start_mark.line + 1}", text)])

    measure(node, 0)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        yield from child if isinstance(child, tuple) else (child,)


def _odd_texts(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Names that are no plain values, and texts that hold a NUL, which no database stores."""
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield key.start_mark.line + 1, "a name that is a list or a mapping; write a text"
    elif isinstance(node, yaml.ScalarNode) and "\0" in node.value:
        yield node.start_mark.line + 1, "holds a NUL character, which is no text; delete it"
    for child in _children(node):
        yield from _odd_texts(child)


def _repeated_keys(node: yaml.Node) -> list[tuple[str, int]]:
    """Keys that stand twice in one mapping: YAML would silently keep the last."""
    repeated: list[tuple[str, int]] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                repeated.append((key.value, key.start_mark.line + 1))
            seen.add(key.value)
            repeated += _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            repeated += _repeated_keys(value)
    return repeated


def _odd_numbers(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Numbers that YAML does not read as people do: octal, base 60, exponents and their like."""
    if isinstance(node, yaml.ScalarNode):
        if node.tag in (INTEGER, FLOAT) and not _DECIMAL.fullmatch(node.value):
            yield (
                node.start_mark.line + 1,
                f"write {node.value} as a decimal number such as 12 or 1.05, or in quotes as text",
            )
        return
    for child in _children(node):
        yield from _odd_numbers(child)


def _note_lines(node: yaml.Node, path: Path_, lines: dict[Path_, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*path, key.value)] = key.start_mark.line + 1
            _note_lines(value, (*path, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines)
