"""Every table of the service, by name; the records of each data set stand in ``records.py``."""

from __future__ import annotations

from core.database.tables.accounts import (
    invoice_counters,
    invoice_lines,
    invoices,
    memberships,
    organisation_merges,
    organisation_names,
    payments,
    permissions,
    run_payers,
    sessions,
    subscription_additions,
    subscription_notices,
    subscription_periods,
    subscription_transfers,
    subscriptions,
)
from core.database.tables.areas import (
    area_answers,
    area_periods,
    area_register,
    areas,
    spider_questions,
    spider_runs,
)
from core.database.tables.configurations import configuration_providers, configurations, datasets
from core.database.tables.events import audit, event_deliveries, events, log_posts
from core.database.tables.failures import failures
from core.database.tables.kpis import kpi_chunks, kpi_results, kpi_sessions, kpi_trials, kpis
from core.database.tables.migration import (
    legacy_rows,
    migrated_tables,
    migration_checks,
    migration_differences,
    migration_pages,
    migration_runs,
)
from core.database.tables.notifications import (
    deadline_notices,
    notification_choices,
    notification_deliveries,
    notifications,
    webhooks,
)
from core.database.tables.organisations import clinics, organisations, users
from core.database.tables.pathways import (
    consumable_prices,
    consumables,
    pathway_steps,
    pathways,
    step_consumables,
)
from core.database.tables.portal import heading_choices, warning_confirmations
from core.database.tables.reports import (
    report_files,
    report_runs,
    report_schedule_months,
    report_schedules,
    reports,
)
from core.database.tables.resets import resets
from core.database.tables.runs import (
    charge_reasons,
    charges,
    run_chunks,
    run_stages,
    run_warnings,
    runs,
)
from core.database.tables.submissions import corrections, errors, file_chunks, files, submissions

__all__ = [
    "area_answers",
    "area_periods",
    "area_register",
    "areas",
    "audit",
    "charge_reasons",
    "charges",
    "clinics",
    "configuration_providers",
    "configurations",
    "consumable_prices",
    "consumables",
    "corrections",
    "datasets",
    "deadline_notices",
    "errors",
    "event_deliveries",
    "events",
    "failures",
    "file_chunks",
    "files",
    "heading_choices",
    "invoice_counters",
    "invoice_lines",
    "invoices",
    "kpi_chunks",
    "kpi_results",
    "kpi_sessions",
    "kpi_trials",
    "kpis",
    "legacy_rows",
    "log_posts",
    "memberships",
    "migrated_tables",
    "migration_checks",
    "migration_differences",
    "migration_pages",
    "migration_runs",
    "notification_choices",
    "notification_deliveries",
    "notifications",
    "organisation_merges",
    "organisation_names",
    "organisations",
    "pathway_steps",
    "pathways",
    "payments",
    "permissions",
    "report_files",
    "report_runs",
    "report_schedule_months",
    "report_schedules",
    "reports",
    "resets",
    "run_chunks",
    "run_payers",
    "run_stages",
    "run_warnings",
    "runs",
    "sessions",
    "spider_questions",
    "spider_runs",
    "step_consumables",
    "submissions",
    "subscription_additions",
    "subscription_notices",
    "subscription_periods",
    "subscription_transfers",
    "subscriptions",
    "users",
    "warning_confirmations",
    "webhooks",
]
