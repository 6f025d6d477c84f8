"""The event rules as a table that reads as sentences."""

from __future__ import annotations

import streamlit as st

from deployments.rules import EVERY, Rule, Rules


def show_rules(rules: Rules) -> None:
    """The section of the page."""
    st.subheader("What each event causes")
    st.table(
        {
            "When": [_when(rule) for rule in rules.rules],
            "Then": [_then(rule) for rule in rules.rules],
            "Rule": [rule.name for rule in rules.rules],
        },
        hide_index=True,
        alt="The event rules",
    )
    st.subheader("What Prefect tells of")
    st.table(
        {
            "When": [", ".join(rule.expect) for rule in rules.prefect],
            "Then": [f"raises {rule.raises}" for rule in rules.prefect],
            "Rule": [rule.name for rule in rules.prefect],
        },
        hide_index=True,
        alt="The rules on Prefect's own events",
    )
    st.caption(
        "They stand in deployments/event_rules.yaml; `grouper deploy` brings Prefect in line."
    )


def _when(rule: Rule) -> str:
    return "any event" if EVERY in rule.names else ", ".join(rule.names)


def _then(rule: Rule) -> str:
    target = rule.target
    if target.queue:
        return f"run {target.queue.deployment.partition('/')[2]}, in its turn on its queue"
    if target.log:
        return f"post to the log group {target.log.group}"
    return f"carry out {target.function}"
