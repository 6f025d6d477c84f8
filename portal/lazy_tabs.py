"""Parts of a page whose queries and fields are made only once they are opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st


def show_open_tab(contents: Mapping[str, Callable[[], None]], key: str) -> None:
    """Shows a tab for each name, with the content of the open tab alone."""
    tabs = st.tabs(list(contents), key=key, on_change="rerun")
    for tab, show in zip(tabs, contents.values(), strict=True):
        if tab.open:
            with tab:
                show()


def show_in_popover(label: str, key: str, show: Callable[[], None]) -> None:
    """Shows a button that opens the content of ``show``."""
    popover = st.popover(label, key=key, on_change="rerun")
    if popover.open:
        with popover:
            show()
