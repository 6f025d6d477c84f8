"""What is made only once somebody opens it: its queries and fields would burden every visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st


def show_open_tab(contents: Mapping[str, Callable[[], None]], key: str) -> None:
    """A tab for each name; whoever opens another waits for that one alone."""
    tabs = st.tabs(list(contents), key=key, on_change="rerun")
    for tab, show in zip(tabs, contents.values(), strict=True):
        if tab.open:
            with tab:
                show()


def show_in_popover(label: str, key: str, show: Callable[[], None]) -> None:
    """A button that opens what ``show`` makes."""
    popover = st.popover(label, key=key, on_change="rerun")
    if popover.open:
        with popover:
            show()
