"""Parts of a page that keep themselves up to date."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import streamlit as st

from portal.sign_in import person_on_page


def refreshed(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Runs the function again every so many seconds, as long as its visitor may be here.

    The sign-in is looked at each time, so a page that was left open ends with it; that it looks by
    itself does not keep anybody signed in.
    """

    def decorate(show: Callable[..., None]) -> Callable[..., None]:
        @wraps(show)
        def shown(*arguments: Any, **named: Any) -> None:
            if person_on_page(active=False) is None:
                st.rerun()
            show(*arguments, **named)

        return cast("Callable[..., None]", st.fragment(run_every=seconds)(shown))

    return decorate
