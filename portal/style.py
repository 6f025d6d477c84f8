"""How every page looks, beyond the theme that ``serve.py`` sets."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st


def dress() -> None:
    """Puts the style sheet on the page."""
    st.html(f"<style>{_sheet()}</style>")


@cache
def _sheet() -> str:
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
