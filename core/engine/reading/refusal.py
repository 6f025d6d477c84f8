"""How a reader says that a file, or what follows in it, cannot be read."""

from __future__ import annotations

from typing import Any

from core.engine.dataset.problems import finding


class RefusedError(Exception):
    """A file that must not be read; carries the finding that says why."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.finding = found
        super().__init__(found["message"])


def unreadable(detail: str) -> RefusedError:
    """The refusal of a damaged file; ``detail`` completes "cannot be read: "."""
    return RefusedError(finding("unreadable-file", detail=detail.strip().rstrip(".")))
