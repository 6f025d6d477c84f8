"""The page on reports says what the reports are."""

from __future__ import annotations

from core.reports.layout_page import page
from core.reports.report_writers import WRITERS
from core.settings import PROJECT
from core.vocabulary.report_kinds import KINDS


def test_the_page_is_drawn_from_the_layouts() -> None:
    assert (PROJECT / "docs" / "reports.md").read_text(encoding="utf-8") == page()


def test_every_kind_of_report_has_a_layout() -> None:
    assert set(WRITERS) == set(KINDS)
