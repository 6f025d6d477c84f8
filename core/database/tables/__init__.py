"""The tables of the service, those of ``event_tables.py`` and ``failure_tables.py`` among them; the
records of each data set stand in ``records.py``.

Bulk tables (errors, charges and the like) have no foreign keys: PostgreSQL would look up each of a
million rows on its own. What deletes a file or a run deletes its rows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, UUID, ExcludeConstraint

from core.database.tables import accounts as accounts_tables
from core.database.tables import areas as area_tables
from core.database.tables import events as event_tables
from core.database.tables import failures as failure_tables
from core.database.tables import kpis as kpi_tables
from core.database.tables import migration as migration_tables
from core.database.tables import notifications as notification_tables
from core.database.tables import pathways as pathway_tables
from core.database.tables import portal as portal_tables
from core.database.tables import reports as report_tables
from core.database.tables import resets as reset_tables
from core.database.tables.columns import (
    count,
    metadata,
    moment,
    now,
    number,
    one_of,
    pence,
    user,
    words,
)
from core.vocabulary.states.columns import (
    CONFIGURATION_STATES,
    FILE_STATES,
    LOOKS,
    ORGANISATION_KINDS,
    REPORT_STATES,
    RUN_KINDS,
    RUN_STATES,
    SUBMISSION_STATES,
)

# Who

organisations = Table(
    "organisations",
    metadata,
    number(),
    words("kind"),
    Column("code", Text, nullable=False, unique=True, comment="ODS code or area code"),
    words("name"),
    words("address", required=False),
    Column(
        "part_of_id",
        Integer,
        ForeignKey("organisations.id"),
        comment="a quasi-organisation: a second contract of this one",
    ),
    Column("merged_into_id", Integer, ForeignKey("organisations.id"), comment="what it is now"),
    now("created_at"),
    one_of("kind", ORGANISATION_KINDS),
    CheckConstraint("id NOT IN (part_of_id, merged_into_id)", name="not_its_own"),
)

clinics = Table(
    "clinics",
    metadata,
    number(),
    Column("provider_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("clinic_id", Text, nullable=False, comment="as the records name it"),
    words("name", required=False),
    words("address", required=False),
    Column("commissioner", Text, comment="area code of the host; null: still to be placed"),
    moment("placed_at", "since when it has its host; null: since it is known, or none"),
    now("created_at"),
    UniqueConstraint("provider_id", "clinic_id"),
)

users = Table(
    "users",
    metadata,
    number(),
    Column("subject", Text, nullable=False, unique=True, comment="sub of the OpenID provider"),
    words("email", required=False),
    words("name"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    now("created_at"),
)

sessions = accounts_tables.sessions
organisation_names = accounts_tables.organisation_names
organisation_merges = accounts_tables.organisation_merges
memberships = accounts_tables.memberships

# What they pay

subscriptions = accounts_tables.subscriptions
subscription_transfers = accounts_tables.subscription_transfers
subscription_additions = accounts_tables.subscription_additions
subscription_periods = accounts_tables.subscription_periods
subscription_notices = accounts_tables.subscription_notices
invoice_counters = accounts_tables.invoice_counters
invoices = accounts_tables.invoices
invoice_lines = accounts_tables.invoice_lines
payments = accounts_tables.payments
permissions = accounts_tables.permissions

# Where people live, and who pays for them

areas = area_tables.areas
area_periods = area_tables.area_periods
area_register = area_tables.area_register
area_answers = area_tables.area_answers
spider_runs = area_tables.spider_runs
spider_questions = area_tables.spider_questions

# What the calculation follows

datasets = Table(
    "datasets",
    metadata,
    number(),
    words("dataset"),
    words("version"),
    Column("body", Text, nullable=False, comment="the specification, YAML"),
    now("imported_at"),
    UniqueConstraint("dataset", "version"),
)

configurations = Table(
    "configurations",
    metadata,
    number(),
    Column("configuration", Text, nullable=False, unique=True),
    words("title"),
    Column("dataset_id", Integer, ForeignKey("datasets.id"), nullable=False),
    words("status"),
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=False, comment="inclusive"),
    Column("body", Text, nullable=False, comment="the tariff configuration, YAML"),
    Column("owner", Text, comment="area code of the lead commissioner"),
    now("imported_at"),
    user("imported_by"),
    one_of("status", CONFIGURATION_STATES),
    CheckConstraint("starts <= ends", name="dates"),
)

configuration_providers = Table(
    "configuration_providers",
    metadata,
    Column(
        "configuration_id",
        Integer,
        ForeignKey("configurations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("provider", Text, primary_key=True),
    Column("during", DATERANGE, nullable=False),
    Column("draft", Boolean, nullable=False, comment="drafts are never used and may overlap"),
    ExcludeConstraint(
        ("provider", "="),
        ("during", "&&"),
        name="one_at_a_time",
        using="gist",
        where=text("NOT draft"),
    ),
)

# Submissions and their files

submissions = Table(
    "submissions",
    metadata,
    number(),
    Column("provider_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("month", Date, nullable=False, comment="its first day"),
    Column("state", Text, nullable=False, server_default="open"),
    Column(
        "run_id",
        Integer,
        ForeignKey("runs.id", use_alter=True),
        comment="the published run: what readers see",
    ),
    words("failure", required=False),
    now("created_at"),
    now("changed_at"),
    UniqueConstraint("provider_id", "month"),
    one_of("state", SUBMISSION_STATES),
    CheckConstraint("extract(day from month) = 1", name="month"),
)

files = Table(
    "files",
    metadata,
    number(),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False, comment="order of upload within the submission"),
    words("name"),
    words("storage_key"),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("transpose", Boolean, nullable=False, server_default=text("false")),
    Column(
        "look",
        Text,
        nullable=False,
        server_default="never",
        comment="when its headings are shown before it is checked",
    ),
    Column("state", Text, nullable=False, server_default="received"),
    Column("check_number", Integer, nullable=False, server_default="0", comment="newest check"),
    Column("chunks", Integer, comment="about so many in its newest check; null: not known"),
    count("records"),
    count("errors"),
    count("warnings"),
    Column("headings", JSONB),
    words("failure", required=False),
    user("uploaded_by"),
    now("uploaded_at"),
    UniqueConstraint("submission_id", "position"),
    one_of("state", FILE_STATES),
    one_of("look", LOOKS),
)

file_chunks = Table(
    "file_chunks",
    metadata,
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("check_number", Integer, nullable=False, comment="the check that wrote it"),
    count("records"),
    count("errors"),
    count("warnings"),
    now("done_at"),
)

errors = Table(
    "errors",
    metadata,
    Column("file_id", Integer, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("row", Integer, comment="spreadsheet row; null: the file as a whole"),
    words("field", required=False),
    words("value", required=False),
    words("code"),
    words("severity"),
    words("message"),
    Index(None, "file_id", "code"),
)

corrections = Table(
    "corrections",
    metadata,
    number(),
    Column("file_id", Integer, ForeignKey("files.id"), nullable=False, index=True),
    words("field"),
    Column("wrong", Text, comment="the value it replaces; null: blank"),
    Column("value", Text, comment="the value put in its place; null: blank"),
    Column("row", Integer, comment="null: every row with that wrong value"),
    user("made_by"),
    now("made_at"),
    moment("undone_at"),
)

warning_confirmations = portal_tables.warning_confirmations
heading_choices = portal_tables.heading_choices

# Runs and what they calculated

runs = Table(
    "runs",
    metadata,
    number(),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="counts the runs of its submission"),
    words("kind"),
    Column("configuration_id", Integer, ForeignKey("configurations.id")),
    Column("state", Text, nullable=False, server_default="running"),
    Column("chunks", Integer, comment="null until the records were counted"),
    count("records"),
    count("episodes"),
    count("charges"),
    pence(),
    words("failure", required=False),
    user("requested_by"),
    now("requested_at"),
    moment("started_at"),
    moment("finished_at"),
    Column("flow_run", UUID(as_uuid=True)),
    Column("inputs", Text, comment="fingerprint of what it is calculated with"),
    UniqueConstraint("submission_id", "number"),
    one_of("kind", RUN_KINDS),
    one_of("state", RUN_STATES),
)

run_payers = accounts_tables.run_payers

run_chunks = Table(
    "run_chunks",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    count("records"),
    count("episodes"),
    count("charges"),
    count("warnings"),
    pence(),
    now("done_at"),
)

run_stages = Table(
    "run_stages",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("chunks", Integer, nullable=False, comment="of those that this attempt has to do"),
    count("done"),
    Column("counted", BigInteger, nullable=False, comment="what came out of those that are done"),
)

charges = Table(
    "charges",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("chunk", SmallInteger, nullable=False),
    words("clinic_id"),
    words("patient_id"),
    Column("attendance_date", Date, nullable=False),
    words("currency"),
    words("rate_type"),
    Column("rate_pence", Integer, nullable=False),
    Column("factor", Numeric(9, 5), nullable=False),
    Column("amount_pence", Integer, nullable=False),
    Column("commissioner", Text, comment="null: nobody is charged"),
    words("basis"),
    Column("reason_id", Integer, nullable=False, comment="in charge_reasons, of the same chunk"),
    # Charges of a run are written together, so ranges of pages say enough (decisions/0005).
    Index(None, "run_id", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),
)

charge_reasons = Table(
    "charge_reasons",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("chunk", SmallInteger, primary_key=True, autoincrement=False),
    Column("reason_id", Integer, primary_key=True, autoincrement=False),
    words("reason"),
)

run_warnings = Table(
    "run_warnings",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("chunk", SmallInteger, nullable=False),
    Column("file_id", Integer),
    Column("row", Integer),
    words("field", required=False),
    words("value", required=False),
    words("code"),
    words("message"),
    Index(None, "run_id", "chunk"),
)

reports = Table(
    "reports",
    metadata,
    number(),
    words("kind"),
    Column("parameters", JSONB, nullable=False, server_default=text("'{}'")),
    Column("state", Text, nullable=False, server_default="requested"),
    user("requested_by"),
    now("requested_at"),
    words("storage_key", required=False),
    words("name", required=False),
    Column("size", BigInteger),
    moment("ready_at"),
    moment("expires_at"),
    words("failure", required=False),
    Column("parts", Integer, comment="null until it was planned"),
    count("parts_done"),
    one_of("state", REPORT_STATES),
)

resets = reset_tables.resets

# What happened

events = event_tables.events
event_deliveries = event_tables.event_deliveries
log_posts = event_tables.log_posts
audit = event_tables.audit
failures = failure_tables.failures

# Who is told of it

notifications = notification_tables.notifications
notification_deliveries = notification_tables.notification_deliveries
notification_choices = notification_tables.notification_choices
webhooks = notification_tables.webhooks
deadline_notices = notification_tables.deadline_notices
report_runs = report_tables.report_runs
report_files = report_tables.report_files
report_schedules = report_tables.report_schedules
report_schedule_months = report_tables.report_schedule_months
kpis = kpi_tables.kpis
kpi_results = kpi_tables.kpi_results
kpi_trials = kpi_tables.kpi_trials
kpi_chunks = kpi_tables.kpi_chunks
kpi_sessions = kpi_tables.kpi_sessions

# What is taken over from the old service

legacy_rows = migration_tables.legacy_rows
migration_runs = migration_tables.migration_runs
migrated_tables = migration_tables.migrated_tables
migration_pages = migration_tables.migration_pages
migration_checks = migration_tables.migration_checks
migration_differences = migration_tables.migration_differences

# What pathways cost, as the old service reckoned

pathways = pathway_tables.pathways
pathway_steps = pathway_tables.pathway_steps
consumables = pathway_tables.consumables
step_consumables = pathway_tables.step_consumables
consumable_prices = pathway_tables.consumable_prices
