"""Servers and services that are started and stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Running(ABC):
    """``with`` runs it for as long as the context lasts."""

    @abstractmethod
    def start(self) -> object:
        """Starts it, and returns when it answers."""

    @abstractmethod
    def stop(self) -> None:
        """Stops it; once more does no harm."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
