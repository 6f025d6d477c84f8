"""The first page: what Grouper does, and sign-in."""

from __future__ import annotations

import streamlit as st


def show() -> None:
    """Says what Grouper does and offers sign-in."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title("Grouper")
        st.markdown(
            "Grouper turns the activity that sexual health clinics record into priced charges "
            "that councils pay.\n\n"
            "- **Providers** upload a month's files, put errors right, and submit.\n"
            "- **Commissioners** see what they are charged, and why.\n"
        )
        if st.button("Sign in", type="primary"):
            st.login()
        st.caption("You sign in with your organisation's account. Grouper keeps no password.")
