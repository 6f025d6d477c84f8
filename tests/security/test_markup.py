"""No text that people write is markup on any page: every column of the database that can hold a
link and an image holds them, and every page is read for what Streamlit would draw of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import yaml

from core.database import tables
from tests.service.permissions.permission_pages import page_at, pages_on, shown
from tests.service.permissions.permission_scene import FINAL, VARIANTS
from tests.service.portal.test_pages_by_role import LIKE_ANOTHER, MONTHS, TABS, person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message
    from streamlit.testing.v1 import AppTest

    from tests.service.permissions.permission_scene import Stage, Variant

MARK = " ![i](//strange.example/i.png) [l](//strange.example)"
DRAWN = re.compile(r"(?<!\\)\[[il](?<!\\)\](?<!\\)\(")
"""The mark where it stands as it was written, not escaped: Markdown draws it."""

OURS = {
    # Codes, kinds and states that the service itself chooses, and what finds other rows.
    *("areas.code", "areas.parent", "area_periods.code", "area_register.shipped"),
    *("audit.verb", "audit.subject_kind", "files.storage_key", "sessions.key_hash"),
    *("organisations.code", "clinics.clinic_id", "clinics.commissioner", "users.subject"),
    *("run_payers.commissioner", "run_payers.clinic_id", "run_payers.host", "charges.commissioner"),
    *("charges.currency", "configurations.owner", "configuration_providers.provider"),
    *("charges.rate_type", "charges.basis", "configurations.configuration", "datasets.dataset"),
    *("configurations.dataset", "submissions.dataset", "kpis.dataset", "kpis.kpi"),
    # Dates that were read, which the database reads again.
    *("records_sexual_health.Attendance Date", "records_weight_management.Attendance Date"),
    *("configuration_providers.dataset", "runs.configuration", "kpis.unit"),
    *("configurations.body", "datasets.body", "kpis.body", "datasets.version", "errors.code"),
    *("errors.severity", "events.name", "events.subject", "failures.subject", "failures.work"),
    *("failures.reference", "files.sha256", "permissions.action", "permissions.kind"),
}
DOCUMENTS = {
    "configurations": ("name", "title"),
    "datasets": ("title",),
    "kpis": ("title", "description", "source", "label"),
}
"""YAML, and what people read of it."""
WITH_PAGES_OF_THEIR_OWN = [
    pytest.param(variant, marks=[pytest.mark.slow] if variant in LIKE_ANOTHER else [])
    for variant in VARIANTS
]
LITERAL = re.compile(
    r"\.(options|raw_values?|default|placeholder|value|id|key|user_key|form_id|query|spec|url"
    r"|page_script_hash|element_hash|columns)$"
)
"""Parts of an element that Streamlit shows as they are."""


@pytest.fixture(scope="module")
def marked(stage: Stage) -> set[str]:
    """The columns that hold the mark."""
    done = set()
    texts = sa.text(
        "SELECT table_name, column_name FROM information_schema.columns JOIN pg_tables"
        " ON tablename = table_name AND schemaname = table_schema"
        " WHERE table_schema = 'public' AND data_type = 'text' AND is_generated = 'NEVER'"
    )
    with stage.owner.begin() as connection:
        for table, keys in DOCUMENTS.items():
            _mark_documents(connection, table, keys)
        for table, column in connection.execute(texts).all():
            if f"{table}.{column}" not in OURS and _mark(connection, table, column):
                done.add(f"{table}.{column}")
    return done


def _mark(connection: sa.Connection, table: str, column: str) -> bool:
    text = sa.column(column, sa.Text)
    named = sa.table(table, text)
    change = sa.update(named).values({column: text + MARK})
    try:
        with connection.begin_nested():
            return connection.execute(change).rowcount > 0
    except sa.exc.DBAPIError:
        return False  # a list of values, a key, or a row that never changes


def _mark_documents(connection: sa.Connection, table: str, keys: tuple[str, ...]) -> None:
    rows = getattr(tables, table)
    for row in connection.execute(sa.select(rows.c.body, rows.c.id)).all():
        document, is_text = row.body, isinstance(row.body, str)
        document = _marked(yaml.safe_load(document) if is_text else document, keys)
        if table == "datasets":
            _mark_words(document)
        body = yaml.safe_dump(document, sort_keys=False) if is_text else document
        connection.execute(rows.update().where(rows.c.id == row.id).values(body=body))


def _mark_words(dataset: dict[str, Any]) -> None:
    """What a data set calls clinic, patient and date, and the names of its layouts."""
    for field in dataset["fields"]:
        if field.get("role") in ("clinic", "patient", "date"):
            field["title"] = f"The {field['role']}{MARK}"
    fields = [field["name"] for field in dataset["fields"]]
    if not dataset.get("layouts"):
        dataset["layouts"] = [{"name": "", "fields": fields}]
    for layout in dataset["layouts"]:
        layout["name"] = f"{layout['name'][:10]} [l](//strange.example)"


def _marked(document: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(document, list):
        return [_marked(each, keys) for each in document]
    if isinstance(document, dict):
        return {
            key: f"{value[:10]}{MARK}"
            if key in keys and isinstance(value, str)
            else _marked(value, keys)
            for key, value in document.items()
        }
    return document


def test_what_people_write_is_marked(marked: set[str]) -> None:
    assert marked >= {
        *("organisations.name", "users.name", "clinics.name", "files.name", "errors.value"),
    }


@pytest.mark.parametrize("variant", WITH_PAGES_OF_THEIR_OWN, ids=str)
def test_no_page_draws_it(stage: Stage, marked: set[str], variant: Variant) -> None:
    drawn: list[str] = []
    with pages_on(stage.portal):
        who = person(stage.portal, stage.scene.people[variant, "in force"])
        for address in shown(who):
            for month in MONTHS.get(address, (FINAL,)):
                page = page_at(who, address, "ZX1", month)
                drawn += [f"{address}: {each}" for each in _drawn(page)]
                for tab in TABS.get(address, ()):
                    page.session_state[f"{address}-tab"] = tab
                    drawn += [f"{address}, {tab}: {each}" for each in _drawn(page.run())]
    assert "\n".join(drawn) == ""


def _drawn(page: AppTest) -> Iterator[str]:
    for node in page._tree:
        proto = getattr(node, "proto", None)
        name = type(proto).__name__
        if proto is not None and name not in ("Text", "Code"):  # these draw no Markdown
            yield from _in(proto, name)


def _in(message: Message, path: str) -> Iterator[str]:
    for field, value in message.ListFields():
        at = f"{path}.{field.name}"
        for each in value if field.is_repeated else [value]:
            if hasattr(each, "ListFields"):
                yield from _in(each, at)
            elif isinstance(each, str) and not LITERAL.search(at) and DRAWN.search(each):
                yield f"{at}: {each[:200]}"
