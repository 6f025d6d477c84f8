"""The exception for a file, or the rest of one, that cannot be read."""

from __future__ import annotations

from typing import Any

from core.engine.dataset.problems import finding


class RefusedError(Exception):
    """A file that must not be read; carries the finding that says why."""

    def __init__(self, finding: dict[str, Any]) -> None:
        self.finding = finding
        super().__init__(finding["message"])


def unreadable(detail: str) -> RefusedError:
    """The refusal of a damaged file; ``detail`` completes "cannot be read: "."""
    return RefusedError(finding("unreadable-file", detail=detail.strip().rstrip(".")))
