"""Documents that ship with the product, named on the command line without their path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import core

ENGINE = Path(core.__file__).parent / "engine"
SUFFIX = ".yaml"


class Shipped(click.ParamType[Path]):
    """A path, or the name of a document of a library; a file of that name in the folder wins."""

    def __init__(self, name: str, library: str) -> None:
        self.name = name
        self._library = ENGINE / library / "library"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path of the document; fails with the names that there are."""
        path = Path(value)
        shipped = self._library / f"{value}{SUFFIX}"
        if not path.is_file() and str(value) not in self.names():
            self.fail(
                f"there is no file {value!r}, and none of that name ships with the product; "
                f"these do: {', '.join(self.names())}",
                param,
                ctx,
            )
        return path if path.is_file() else shipped

    def names(self) -> list[str]:
        """What ships with the product."""
        return sorted(path.stem for path in self._library.glob(f"*{SUFFIX}"))


DATASET = Shipped("dataset", "dataset")
CONFIGURATION = Shipped("configuration", "tariff")
