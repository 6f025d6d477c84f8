"""Parts of a page that refresh themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import streamlit as st

from portal.sign_in import person_on_page


def refreshed(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Runs the function again every so many seconds, while its visitor has access.

    The sign-in is checked each time, so that an open page ends with it; a refresh does not count as
    activity and keeps nobody signed in.
    """

    def decorate(show: Callable[..., None]) -> Callable[..., None]:
        @wraps(show)
        def refreshed_part(*arguments: Any, **named: Any) -> None:
            if person_on_page(active=False) is None:
                st.rerun()
            show(*arguments, **named)

        return cast("Callable[..., None]", st.fragment(run_every=seconds)(refreshed_part))

    return decorate
