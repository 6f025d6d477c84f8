"""The server of areas in a process of its own, and a file of sources that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml

from core.areas.sources import SHIPPED_SOURCES
from tests.server_process import serving


@dataclass(frozen=True)
class AreaServer:
    """The address of the server, and calls that inspect and change it."""

    url: str

    def report(self) -> dict[str, Any]:
        """Its log, the most requests at once, and the parents whose answers go in a circle."""
        answer: dict[str, Any] = httpx2.get(f"{self.url}/told").raise_for_status().json()
        return answer

    def change(self, changes: dict[str, Any]) -> None:
        """Code to name and parent, or to None where the area is gone."""
        httpx2.post(f"{self.url}/change", json=changes).raise_for_status()

    def restore(self) -> None:
        httpx2.post(f"{self.url}/restore").raise_for_status()

    def forget(self) -> None:
        httpx2.post(f"{self.url}/forget").raise_for_status()

    def trouble(self, name: str | None) -> None:
        """What goes wrong at first with every request from now on."""
        httpx2.post(f"{self.url}/trouble", json=name).raise_for_status()

    def write_sources(self, path: Path, page: int = 250) -> Path:
        """The shipped sources, but for where they are and how long their pages are."""
        document = yaml.safe_load(SHIPPED_SOURCES.read_text())
        for source in document["sources"]:
            path_of = {"sparql": "/sparql.json", "arcgis": "/arcgis"}[source["service"]]
            source |= {"url": self.url + path_of, "page": page}
        path.write_text(yaml.safe_dump(document))
        return path


@contextmanager
def area_server(*options: str) -> Iterator[AreaServer]:
    with serving("tests.area_server", *options) as url:
        yield AreaServer(url)
