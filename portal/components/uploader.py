"""Sends files from the browser straight to the upload route, with progress.

Streamlit's own uploader holds whole files in memory; here they stream to the store.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__)

_uploader = st.components.v2.component(
    "activity_uploader",
    html=_HERE.with_suffix(".html").read_text(),
    css=_HERE.with_suffix(".css").read_text(),
    js=_HERE.with_suffix(".js").read_text(),
)


def activity_uploader(*, url: str, ticket: str, transpose: bool, look: bool) -> int | None:
    """Shows the uploader; returns the number of files that arrived, in the run right after.

    ``look``: the headings of every file are shown before its check.
    """
    data = {"url": url, "ticket": ticket, "transpose": transpose, "look": look}
    result: Any = _uploader(key="uploader", data=data, on_uploaded_change=lambda: None)
    arrived: int | None = result.uploaded
    return arrived
