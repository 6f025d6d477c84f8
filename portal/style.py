"""The style sheet of every page, beyond the theme that ``serve.py`` sets."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st


def add_style_sheet() -> None:
    """Adds the style sheet to the page."""
    st.html(f"<style>{_sheet()}</style>")


@cache
def _sheet() -> str:
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
