"""The rows that the portal may access: a declaration for each table, enforced by PostgreSQL.

The portal connects as a role of its own, which owns nothing and is bound by row-level security; a
transaction acts for one user (``acting.py``), and that user sees a row only where this declaration
allows it. Flows, relay, sender, migrations and the command line connect as the owner,
whom policies do not bind. The functions of the conditions are in ``access.sql``.

A table that is not declared is closed to the portal; a test requires a declaration for each.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.vocabulary.permissions import Action
from core.vocabulary.report_kinds import KINDS


@dataclass(frozen=True)
class Access:
    """Conditions on rows, in SQL; None: never. ``to`` applies to the row after a change.
    ``fixed``: the columns that no change may touch."""

    see: str | None = None
    add: str | None = None
    change: str | None = None
    remove: str | None = None
    to: str | None = None
    fixed: tuple[str, ...] = ()


def _listed(actions: tuple[Action, ...]) -> str:
    return ", ".join(f"'{action}'" for action in actions)


def may(*actions: Action) -> str:
    """SQL: the user may do one of these actions, in some organisation."""
    return f"(SELECT i_may({_listed(actions)}))"


def of(column: str, what: str, *actions: Action) -> str:
    """SQL: the column is among the results of ``my_…`` for these actions."""
    return f"{column} IN (SELECT my_{what}({_listed(actions)}))"


def either(*conditions: str) -> str:
    return " OR ".join(f"({condition})" for condition in conditions)


ANYBODY = "(SELECT grouper_user()) IS NOT NULL"
NOBODY = Access()
ACCOUNTS = may(Action.MANAGE_ACCOUNTS)
OPERATORS = may(Action.OPERATE)
_OWN = "user_id = (SELECT grouper_user())"
_BY_SELF = "user_id IS NOT DISTINCT FROM (SELECT grouper_user())"
_WORK = (Action.UPLOAD, Action.CORRECT, Action.DRAFT, Action.SUBMIT)
_ANY_RUN = (
    "(kind = 'draft' AND " + of("submission_id", "submissions", Action.DRAFT) + ")",
    "(kind = 'final' AND " + of("submission_id", "submissions", Action.SUBMIT) + ")",
)
_SEEN_SUBSCRIPTION = either(
    ACCOUNTS,
    "user_id = (SELECT grouper_user())",
    "id IN (SELECT subscription_id FROM subscription_periods)",
)
_OF_SUBSCRIPTION = "subscription_id IN (SELECT id FROM subscriptions)"
_OF_INVOICE = "invoice_id IN (SELECT id FROM invoices)"


def managed(see: str, *, remove: str | None = None) -> Access:
    """Rows that administrators of accounts write."""
    return Access(see=either(ACCOUNTS, see), add=ACCOUNTS, change=ACCOUNTS, remove=remove)


def own(column: str = "user_id") -> Access:
    """Rows that belong to the user."""
    own_rows = f"{column} = (SELECT grouper_user())"
    return Access(own_rows, own_rows, own_rows, own_rows)


_ACCOUNTS: dict[str, Access] = {
    "organisations": managed(
        either(
            OPERATORS,
            may(Action.GRANT_RESET),
            of("id", "organisations"),
            "id IN (SELECT my_counterparts())",
        )
    ),
    "organisation_names": managed("organisation_id IN (SELECT id FROM organisations)"),
    "organisation_merges": managed("false"),
    "clinics": Access(
        see=either(
            ACCOUNTS, of("provider_id", "organisations"), "commissioner IN (SELECT my_codes())"
        ),
        add=either(ACCOUNTS, of("provider_id", "organisations", Action.UPLOAD)),
        change=either(ACCOUNTS, of("provider_id", "organisations", Action.UPLOAD)),
    ),
    "users": managed(
        either(OPERATORS, "id = (SELECT grouper_user())", "id IN (SELECT my_colleagues())")
    ),
    "sessions": Access(  # one that ended stays so
        see=either(ACCOUNTS, _OWN),
        change=f"ended_at IS NULL AND ({either(ACCOUNTS, _OWN)})",
        to=f"seen_at <= now() AND ({either(ACCOUNTS, _OWN)})",
        fixed=("id", "user_id", "key_hash", "started_at", "expires_at", "address", "agent"),
    ),
    "subscriptions": managed(_SEEN_SUBSCRIPTION),
    "subscription_transfers": managed(_OF_SUBSCRIPTION),
    "subscription_additions": managed(_OF_SUBSCRIPTION),
    "subscription_periods": managed(_OWN, remove=ACCOUNTS),
    "subscription_notices": NOBODY,
    "invoice_counters": Access(see=ACCOUNTS, change=ACCOUNTS),
    "invoices": managed(_OF_SUBSCRIPTION),
    "invoice_lines": Access(see=_OF_INVOICE, add=ACCOUNTS),
    "payments": Access(see=_OF_INVOICE, add=ACCOUNTS),
    "permissions": Access(see=ANYBODY),
}

_CONFIGURATION = Access(
    see=ANYBODY,
    add=either(may(Action.PUBLISH_CONFIGURATION)),
    change=either(may(Action.PUBLISH_CONFIGURATION)),
    remove=either(may(Action.PUBLISH_CONFIGURATION)),
)

_DRAFT = "status = 'draft' AND " + of("owner", "codes", Action.EDIT_CONFIGURATION)
_OF_DRAFT = "draft AND " + of("configuration_id", "drafts", Action.EDIT_CONFIGURATION)
"""Its lead commissioner may write a draft."""

_ACTIVITY: dict[str, Access] = {
    "datasets": _CONFIGURATION,
    "configurations": Access(
        see=ANYBODY,
        add=either(may(Action.PUBLISH_CONFIGURATION), _DRAFT),
        change=either(may(Action.PUBLISH_CONFIGURATION), _DRAFT),
        remove=may(Action.PUBLISH_CONFIGURATION),
    ),
    "configuration_providers": Access(
        see=ANYBODY,
        add=either(may(Action.PUBLISH_CONFIGURATION), _OF_DRAFT),
        change=either(may(Action.PUBLISH_CONFIGURATION), _OF_DRAFT),
        remove=either(may(Action.PUBLISH_CONFIGURATION), _OF_DRAFT),
    ),
    "submissions": Access(
        see=either(
            of("provider_id", "organisations"),
            of("run_id", "released_runs"),
            of("id", "hosted_submissions", Action.ASK_FOR_RESET),
            OPERATORS,
            may(Action.GRANT_RESET),
        ),
        add=of("provider_id", "organisations", *_WORK),
        change=either(
            of("provider_id", "organisations", *_WORK),
            of("id", "hosted_submissions", Action.ASK_FOR_RESET),
            OPERATORS,
            may(Action.GRANT_RESET),
        ),
        fixed=("id", "provider_id", "month", "dataset_id", "configuration_id"),
    ),
    "files": Access(
        see=either(of("submission_id", "submissions"), OPERATORS),
        add=of("submission_id", "submissions", Action.UPLOAD),
        change=either(of("submission_id", "submissions", Action.UPLOAD, Action.CORRECT), OPERATORS),
        fixed=(
            *("id", "submission_id", "position", "name", "storage_key", "size", "sha256"),
            *("uploaded_by", "uploaded_at"),
        ),
    ),
    "file_chunks": Access(see=either(of("file_id", "files"), OPERATORS)),
    "errors": Access(see=of("file_id", "files", Action.UPLOAD, Action.CORRECT)),
    "corrections": Access(
        see=of("file_id", "files", Action.UPLOAD, Action.CORRECT),
        add=of("file_id", "files", Action.CORRECT),
        change=of("file_id", "files", Action.CORRECT),
    ),
    "warning_confirmations": Access(
        see=of("file_id", "files", Action.UPLOAD, Action.CORRECT),
        add=of("file_id", "files", Action.CORRECT),
        remove=of("file_id", "files", Action.CORRECT),
    ),
    "heading_choices": Access(
        see=of("provider_id", "organisations", Action.UPLOAD, Action.CORRECT),
        add=of("provider_id", "organisations", Action.UPLOAD),
        change=of("provider_id", "organisations", Action.UPLOAD),
        remove=of("provider_id", "organisations", Action.UPLOAD),
    ),
    "runs": Access(
        see=either(
            of("submission_id", "submissions"),
            of("id", "released_runs"),
            of("submission_id", "hosted_submissions", Action.ASK_FOR_RESET),
            OPERATORS,
            may(Action.GRANT_RESET),
        ),
        add=either(*_ANY_RUN),
        change=either(
            of("submission_id", "submissions", *_WORK), OPERATORS, may(Action.GRANT_RESET)
        ),
    ),
    "run_chunks": Access(see=either(of("run_id", "runs"), OPERATORS)),
    "run_files": NOBODY,
    "kept_registers": Access(see=ANYBODY),
    "run_stages": Access(see=either(of("run_id", "runs"), OPERATORS)),
    "run_payers": Access(
        see=either(
            of("run_id", "runs", Action.SEE_CHARGES),
            "commissioner IN (SELECT my_codes('see charges')) AND "
            + of("run_id", "released_runs", Action.SEE_CHARGES),
        )
    ),
    "charges": Access(
        see=either(
            of("run_id", "runs", Action.SEE_CHARGES),
            "commissioner IN (SELECT my_codes('see charges')) AND "
            + of("run_id", "released_runs", Action.SEE_CHARGES),
        )
    ),
    "charge_reasons": Access(
        see=either(
            of("run_id", "runs", Action.SEE_CHARGES),
            of("run_id", "released_runs", Action.SEE_CHARGES)
            + " AND EXISTS (SELECT FROM charges WHERE charges.run_id = charge_reasons.run_id"
            " AND charges.chunk = charge_reasons.chunk"
            " AND charges.reason_id = charge_reasons.reason_id)",
        )
    ),
    "run_days": Access(see=of("run_id", "runs", Action.SEE_CHARGES)),
    "run_decisions": Access(
        see=either(
            of("run_id", "runs", Action.SEE_CHARGES),
            of("run_id", "released_runs", Action.SEE_CHARGES),
        ),
        add="decided_by IS NOT DISTINCT FROM (SELECT grouper_user()) AND "
        + of("run_id", "runs", Action.SUBMIT),
    ),
    "visits_before": Access(
        see=either(
            of("run_id", "runs", Action.SEE_CHARGES),
            of("run_id", "released_runs", Action.SEE_CHARGES)
            + " AND EXISTS (SELECT FROM charges WHERE charges.run_id = visits_before.run_id"
            " AND charges.clinic_id = visits_before.clinic_id"
            " AND charges.patient_id = visits_before.patient_id"
            " AND charges.attendance_date = visits_before.attendance_date)",
        )
    ),
    "run_warnings": Access(see=of("run_id", "runs", Action.UPLOAD, Action.CORRECT, Action.SUBMIT)),
    "resets": Access(
        see=either(
            of("submission_id", "submissions"),
            of("host_id", "organisations"),
            may(Action.GRANT_RESET),
        ),
        add=of("host_id", "organisations", Action.ASK_FOR_RESET),
        change=may(Action.GRANT_RESET),
    ),
}

_REPORT = "report_id IN (SELECT id FROM reports)"
_REQUESTED = "requested_by = (SELECT grouper_user())"
_SUMS = ", ".join(
    f"'{kind}'" for kind, about in KINDS.items() if about.action == Action.SEE_CHARGES
)
_ITS_ORGANISATION = (
    "parameters->>'organisation' IN (SELECT my_codes_of(parameters->>'side', "
    f"CASE WHEN parameters->>'kind' IN ({_SUMS}) THEN '{Action.SEE_CHARGES}' "
    f"ELSE '{Action.SEE_BACKING_DATA}' END))"
)

_REPORTS: dict[str, Access] = {
    "reports": Access(
        see=either(f"{_REQUESTED} AND {_ITS_ORGANISATION}", OPERATORS),
        add=f"{_REQUESTED} AND {_ITS_ORGANISATION}",
        change=either(f"{_REQUESTED} AND {_ITS_ORGANISATION}", OPERATORS),
        fixed=(
            *("id", "kind", "parameters", "requested_by", "requested_at"),
            *("storage_key", "name", "size", "ready_at", "expires_at", "parts", "parts_done"),
        ),
    ),
    "report_runs": Access(see=_REPORT),
    "report_files": Access(see=_REPORT),
    "report_schedules": Access(_OWN, f"{_OWN} AND {_ITS_ORGANISATION}", _OWN, _OWN),
    "report_schedule_months": Access(see="schedule_id IN (SELECT id FROM report_schedules)"),
}

_HAPPENED: dict[str, Access] = {
    "events": Access(
        see=OPERATORS,
        add=_BY_SELF,
        change=OPERATORS,
        fixed=("id", "event_id", "name", "subject", "payload", "user_id", "raised_at"),
    ),
    "event_deliveries": Access(OPERATORS, OPERATORS, OPERATORS),
    "hook_calls": Access(add="(SELECT grouper_user()) IS NULL"),
    "lock_space": NOBODY,
    "log_posts": Access(see=OPERATORS),
    "audit": Access(see=either(ACCOUNTS, _OWN), add=_BY_SELF),
    "failures": Access(
        see=either(OPERATORS, "is_mine(subject)"), change=either(OPERATORS, "is_mine(subject)")
    ),
    "notifications": Access(see=_OWN, change=_OWN),
    "notification_deliveries": Access(see=OPERATORS, change=OPERATORS),
    "notification_choices": own(),
    "webhooks": own(),
    "deadline_notices": NOBODY,
}

_AREA = Access(see=ANYBODY, add=OPERATORS, change=OPERATORS, remove=OPERATORS)
_AREA_TABLES = (
    "areas",
    "area_periods",
    "area_register",
    "area_answers",
    "spider_runs",
    "spider_questions",
)
_AREAS = dict.fromkeys(_AREA_TABLES, _AREA)

_SEEN_KPIS = either(
    of("run_id", "runs", Action.SEE_KPIS), of("run_id", "released_runs", Action.SEE_KPIS)
)
_KPIS: dict[str, Access] = {
    "kpis": Access(
        see=ANYBODY,
        add="state = 'draft' AND " + may(Action.EDIT_CONFIGURATION),
        change=may(Action.PUBLISH_CONFIGURATION),
        fixed=("id", "kpi", "version", "dataset", "body", "written_by", "written_at"),
    ),
    "kpi_results": Access(see=_SEEN_KPIS),
    "kpi_trials": Access(see="asked_by = (SELECT grouper_user())", add=_SEEN_KPIS),
    "kpi_chunks": NOBODY,
    "kpi_sessions": NOBODY,
    "kpi_left_out": NOBODY,
}

_MIGRATION: dict[str, Access] = {
    "legacy_rows": NOBODY,
    "migration_runs": Access(OPERATORS, OPERATORS, OPERATORS),
    "migrated_tables": Access(see=OPERATORS, change=OPERATORS),
    "migration_pages": NOBODY,
    "migration_checks": Access(see=OPERATORS),
    "migration_differences": Access(see=OPERATORS),
}

_PATHWAYS = dict.fromkeys(
    ("pathways", "pathway_steps", "consumables", "step_consumables", "consumable_prices"),
    Access(see=ANYBODY),
)
"""Like tariffs, which all may read."""

ACCESS: dict[str, Access] = {
    **_ACCOUNTS,
    **_ACTIVITY,
    **_REPORTS,
    **_HAPPENED,
    **_AREAS,
    **_KPIS,
    **_MIGRATION,
    **_PATHWAYS,
}
"""Every table of the service."""

FUNCTIONS: dict[str, tuple[str, ...]] = {
    "app": (
        # what policies ask
        "grouper_user()",
        "grouper_today()",
        "i_may(text[])",
        "is_mine(text)",
        "memberships_on(date)",
        "my_codes(text[])",
        "my_codes_of(text, text[])",
        "my_colleagues()",
        "my_counterparts()",
        "my_drafts(text[])",
        "my_files(text[])",
        "my_hosted_submissions(text[])",
        "my_organisations(text[])",
        "my_released_runs(text[])",
        "my_runs(text[])",
        "my_submissions(text[])",
        "organisation_families()",
        # what pages ask
        "hold_lock(text)",
        "hold_shared_lock(text)",
        "begin_session(text, text, timestamp with time zone, text, text)",
        "kpi_peers(integer, date, integer)",
        "report_is_outdated(integer)",
        "run_hosts(integer)",
        "session_of(text, text)",
    ),
    "kpi": ("kpi_run()", "kpi_commissioners()"),
}
"""What each role may call of ours; nobody else may call anything."""
SCHEMAS = {"app": ("public",), "kpi": ()}
"""Schemas that each role may name things of; the views of indicators have their own."""

RECORDS = Access(
    see=of(
        "file_id", "files", Action.UPLOAD, Action.CORRECT, Action.SUBMIT, Action.SEE_BACKING_DATA
    )
)
"""The tables of records, which are made from specifications."""
