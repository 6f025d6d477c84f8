"""Permissions: which kind of subscription allows which action. Nothing else decides it.

``python -m core.vocabulary.permissions > docs/permissions.md`` writes the page. The database holds
the same pairs for its row-level security (table ``permissions``, ``core.database.access``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Self

from core.vocabulary.labelled_enum import LabelledEnum

SIDES = ("provider", "commissioner")


class Action(LabelledEnum):
    """An action of a person, with its description in the portal."""

    UPLOAD = "upload", "Upload files of a month, and take them out again; place new clinics."
    CORRECT = "correct", "Put wrong values right, and take corrections back."
    DRAFT = "draft", "Run a month as a draft, for the provider's eyes alone."
    SUBMIT = "submit", "Run a month as final, which releases its charges and locks it."
    SEE_CHARGES = "see charges", "See charges, with their totals and reasons."
    SEE_KPIS = "see KPIs", "See the performance figures of a month, and their trends."
    SEE_BACKING_DATA = "see backing data", "Get the reports with one row a charge: patient level."
    ASK_FOR_RESET = "ask for reset", "Ask for a submitted month to be opened again."
    GRANT_RESET = "grant reset", "Grant or refuse what was asked for there."
    EDIT_CONFIGURATION = (
        "edit configuration",
        "Write drafts of the tariff configurations that it leads, and of indicators.",
    )
    PUBLISH_CONFIGURATION = "publish configuration", "Bring a configuration into force."
    MANAGE_ACCOUNTS = (
        "manage accounts",
        "Users, organisations, clinics, subscriptions, invoices, sign-ins and the audit.",
    )
    OPERATE = "operate", "Queues, runs, what failed, events and logs: processes, not patients."


class Kind(StrEnum):
    """A kind of subscription, with its purpose."""

    text: str
    sides: frozenset[str]
    """The kinds of organisation it may belong to; empty: to none, it is for the service itself."""

    def __new__(cls, value: str, text: str = "", *sides: str) -> Self:
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.text = text
        kind.sides = frozenset(sides)
        return kind

    BASIC_PROVIDER = "Basic Provider", "Upload activity and submit it.", "provider"
    PROVIDER_PLUS = "Provider+", "The same, with drafts and performance figures.", "provider"
    COMMISSIONER = "Commissioner", "See what an area is charged, and why.", "commissioner"
    CLUSTER_MANAGER = "Cluster Manager", "A commissioner for several areas.", "commissioner"
    READ_ONLY = (
        "read-only",
        "See the charges and figures of an organisation; change nothing, get no Backing Data.",
        "provider",
        "commissioner",
    )
    ADMINISTRATOR = "administrator", "Accounts, configurations and resets; no charges."
    OPERATOR = "operator", "Keeps the service running; sees processes, not patients."


_BASIC = frozenset(
    {Action.UPLOAD, Action.CORRECT, Action.SUBMIT, Action.SEE_CHARGES, Action.SEE_BACKING_DATA}
)
_PAYER = frozenset(
    {
        Action.SEE_CHARGES,
        Action.SEE_KPIS,
        Action.SEE_BACKING_DATA,
        Action.ASK_FOR_RESET,
        Action.EDIT_CONFIGURATION,
    }
)

PERMISSIONS: dict[Kind, frozenset[Action]] = {
    Kind.BASIC_PROVIDER: _BASIC,
    Kind.PROVIDER_PLUS: _BASIC | {Action.DRAFT, Action.SEE_KPIS},
    Kind.COMMISSIONER: _PAYER,
    Kind.CLUSTER_MANAGER: _PAYER,
    Kind.READ_ONLY: frozenset({Action.SEE_CHARGES, Action.SEE_KPIS}),
    Kind.ADMINISTRATOR: frozenset(
        {
            Action.GRANT_RESET,
            Action.EDIT_CONFIGURATION,
            Action.PUBLISH_CONFIGURATION,
            Action.MANAGE_ACCOUNTS,
            Action.OPERATE,
        }
    ),
    Kind.OPERATOR: frozenset({Action.OPERATE}),
}

PAIRS = tuple((kind, action) for kind in Kind for action in Action if action in PERMISSIONS[kind])
"""Every kind with every action that it allows, in the order of declaration."""

HEAD = """\
# Who may do what
This page is written by `python -m core.vocabulary.permissions` from the table in the code. A person
may do what their subscriptions in force today allow, in the organisations of those subscriptions,
and nothing else. The database enforces the same table again for every row that the portal reads or
writes (decisions/0011).
"""


def permissions_page() -> str:
    """The page, as Markdown."""
    return "\n".join([HEAD, *_table(), "", *_kinds(), "", *_actions(), ""])


def _table() -> Iterator[str]:
    yield "| | " + " | ".join(Kind) + " |"
    yield "|---|" + "---|" * len(Kind)
    for action in Action:
        marks = ["yes" if action in PERMISSIONS[kind] else "" for kind in Kind]
        yield f"| {action} | " + " | ".join(marks) + " |"


def _kinds() -> Iterator[str]:
    yield "| kind | is of | what it is for |"
    yield "|---|---|---|"
    for kind in Kind:
        sides = " or ".join(f"a {side}" for side in SIDES if side in kind.sides)
        yield f"| {kind} | {sides or 'the service itself'} | {kind.text} |"


def _actions() -> Iterator[str]:
    yield "| action | means |"
    yield "|---|---|"
    for action in Action:
        yield f"| {action} | {action.text} |"


if __name__ == "__main__":
    sys.stdout.write(permissions_page())
