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
        raise DocumentError(
            [Problem(f"{path}:1", f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8")]
        ) from error
    return parse_document(text, name=str(path))


def parse_document(text: str, *, name: str) -> Document:
    """As ``read_document``, from a text; problems name it ``name``."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise DocumentError([Problem(f"{name}:1", "expected `name: value` lines")])
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


class _Loader(_Base):  # type: ignore[misc]
    """Safe values only; the C scanner where it is built.

    YAML 1.1 also reads ``no`` and ``on`` as booleans; here they are texts, such as the key of a
    code list, and only ``true`` and ``false`` are booleans. Numbers with a point are exact.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own way to say it)
        first: [entry for entry in entries if entry[0] != BOOL or first in "tTfF"]
        for first, entries in _Base.yaml_implicit_resolvers.items()
    }


def _exact(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(loader.construct_scalar(node))


_Loader.add_constructor(FLOAT, _exact)


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
    children = node.value if isinstance(node, yaml.CollectionNode) else []
    for child in children:
        for part in child if isinstance(child, tuple) else (child,):
            yield from _odd_numbers(part)


def _note_lines(node: yaml.Node, path: Path_, lines: dict[Path_, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*path, key.value)] = key.start_mark.line + 1
            _note_lines(value, (*path, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines)
