"""Parts of a page that run by themselves look at the sign-in first."""

from __future__ import annotations

from pathlib import Path

from core.settings import PROJECT


def test_only_one_module_makes_fragments() -> None:
    """Run by itself, a part of a page has nobody to act for until it has looked who is here."""
    making = [
        path.relative_to(PROJECT)
        for path in Path(PROJECT / "portal").rglob("*.py")
        if "st.fragment" in path.read_text()
    ]
    assert making == [Path("portal/fragments.py")]
