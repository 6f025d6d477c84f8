"""Chooses documents that people write, such as tariffs, and reads their texts in the browser.

They come with what else was typed on the page. Streamlit's own uploader needs a route that takes
files from anybody, so that route is closed (``portal/request_guard.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from core.operations.dataset_import import NamedText
from portal.request_guard import MOST_MESSAGE_BYTES

_HERE = Path(__file__)

_chooser = st.components.v2.component(
    "document_chooser",
    html=_HERE.with_suffix(".html").read_text(),
    css=_HERE.with_suffix(".css").read_text(),
    js=_HERE.with_suffix(".js").read_text(),
)

MOST_BYTES = MOST_MESSAGE_BYTES // 2
"""Of all documents together: a message holds what else the page says too, and is encoded."""


def choose_documents(label: str, *, key: str) -> list[NamedText]:
    """Shows the chooser; returns the documents that are chosen."""
    data = {"label": label, "most_bytes": MOST_BYTES}
    result: Any = _chooser(key=key, data=data, on_documents_change=lambda: None)
    return [NamedText(_line(each["name"]), str(each["text"])) for each in result.documents or ()]


def _line(name: object) -> str:
    return " ".join(str(name).split())
