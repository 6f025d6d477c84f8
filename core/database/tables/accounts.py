"""Accounts: sign-ins, former names of organisations, subscriptions, invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from core.database.tables.columns import metadata, moment, now, number, one_of, user, words
from core.vocabulary.permissions import Action, Kind
from core.vocabulary.states.accounts import SUBSCRIPTION_MACHINE

KINDS = tuple(kind.value for kind in Kind)
KINDS_OF_THE_SERVICE = tuple(kind.value for kind in Kind if not kind.sides)
ACTIONS = tuple(action.value for action in Action)
COVERS = ("term", "addition")
BILLS = ("invoice", "credit note")


def _of(table: str, name: str, *, required: bool = True, index: bool = False) -> Column[int]:
    key = ForeignKey(f"{table}.id")
    return Column(name, Integer, key, nullable=not required, index=index)


def _money(name: str) -> Column[Decimal]:
    return Column(name, Numeric(10, 2), nullable=False)


def _day(name: str, *, required: bool = True, comment: str | None = None) -> Column[date]:
    return Column(name, Date, nullable=not required, comment=comment)


sessions = Table(
    "sessions",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False, index=True),
    Column("key_hash", Text, nullable=False, unique=True, comment="SHA-256 of what the cookie has"),
    now("started_at"),
    now("seen_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="however busy it is"),
    moment("ended_at"),
    words("end_reason", required=False),
    user("ended_by"),
    Column("address", Text, comment="where it was signed in from"),
    Column("agent", Text, comment="as the browser calls itself"),
)

# Former names and merges of organisations

organisation_names = Table(
    "organisation_names",
    metadata,
    number(),
    Column("organisation_id", Integer, ForeignKey("organisations.id"), nullable=False, index=True),
    words("name"),
    Column("until", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    user("changed_by"),
    comment="names that organisations no longer have",
)

organisation_merges = Table(
    "organisation_merges",
    metadata,
    number(),
    _of("organisations", "gone_id", index=True),
    _of("organisations", "kept_id"),
    now("merged_at"),
    user("merged_by"),
    moment("undone_at"),
    user("undone_by"),
)

# Subscriptions

subscriptions = Table(
    "subscriptions",
    metadata,
    number(),
    words("kind"),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False, comment="quoted to"),
    _of("organisations", "organisation_id", required=False, index=True),
    Column("state", Text, nullable=False, server_default="quoted"),
    _day("quoted_on"),
    _day("first_day"),
    _money("price"),
    _day("ended_on", required=False, comment="first day on which it no longer holds"),
    Column("renews_id", Integer, ForeignKey("subscriptions.id"), unique=True),
    Column("note", Text),
    now("created_at"),
    one_of("kind", KINDS),
    one_of("state", SUBSCRIPTION_MACHINE.states),
    CheckConstraint(
        "(organisation_id IS NULL) = (kind IN ("
        + ", ".join(f"'{kind}'" for kind in KINDS_OF_THE_SERVICE)
        + "))",
        name="organisation_fits_kind",
    ),
    CheckConstraint("price >= 0", name="price"),
)

subscription_transfers = Table(
    "subscription_transfers",
    metadata,
    number(),
    _of("subscriptions", "subscription_id", index=True),
    _day("on_day"),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False, comment="its holder since"),
    now("recorded_at"),
    user("recorded_by"),
)

subscription_additions = Table(
    "subscription_additions",
    metadata,
    number(),
    _of("subscriptions", "subscription_id"),
    _of("organisations", "organisation_id"),
    _day("on_day"),
    _money("price"),
    now("recorded_at"),
    user("recorded_by"),
    UniqueConstraint("subscription_id", "organisation_id"),
)

subscription_periods = Table(
    "subscription_periods",
    metadata,
    number(),
    _of("subscriptions", "subscription_id", index=True),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False, index=True),
    _of("organisations", "organisation_id", required=False),
    words("kind"),
    _day("first_day"),
    _day("last_day", comment="inclusive"),
    one_of("kind", KINDS),
    CheckConstraint("first_day <= last_day", name="days"),
    comment="what the terms give, written anew with each change of a subscription",
)

subscription_notices = Table(
    "subscription_notices",
    metadata,
    Column("subscription_id", Integer, ForeignKey("subscriptions.id"), primary_key=True),
    Column("last_day", Date, primary_key=True, comment="the end that was warned of"),
    Column("days", Integer, primary_key=True, autoincrement=False, comment="60, 30 or 7"),
    now("told_at"),
)

# Invoices

invoice_counters = Table(
    "invoice_counters",
    metadata,
    Column("bill", Text, primary_key=True),
    Column("last", Integer, nullable=False, comment="its row is locked until the bill is written"),
    one_of("bill", BILLS),
)

invoices = Table(
    "invoices",
    metadata,
    number(),
    words("bill"),
    Column("number", Integer, nullable=False, comment="without gaps, of its kind"),
    _of("subscriptions", "subscription_id", index=True),
    words("covers"),
    Column("credits_id", Integer, ForeignKey("invoices.id"), unique=True),
    words("billed_name"),
    words("billed_address", required=False),
    words("contact"),
    words("email", required=False),
    _day("issued_on"),
    _day("due_on"),
    Column("vat_percent", Numeric(5, 2), nullable=False),
    _money("net"),
    _money("vat"),
    _money("total"),
    _day("paid_on", required=False, comment="when it was paid in full"),
    user("issued_by"),
    now("created_at"),
    UniqueConstraint("bill", "number"),
    one_of("bill", BILLS),
    one_of("covers", COVERS),
    CheckConstraint("total = net + vat", name="total"),
    CheckConstraint("(credits_id IS NULL) = (bill = 'invoice')", name="credits"),
    comment="never changed but for the day of payment; a credit note takes one back",
)

invoice_lines = Table(
    "invoice_lines",
    metadata,
    Column("invoice_id", Integer, ForeignKey("invoices.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    words("text"),
    Column("quantity", Integer, nullable=False),
    _money("unit_price"),
    _money("net"),
)

payments = Table(
    "payments",
    metadata,
    number(),
    _of("invoices", "invoice_id", index=True),
    _day("paid_on"),
    _money("amount"),
    words("reference", required=False),
    now("recorded_at"),
    user("recorded_by"),
    CheckConstraint("amount > 0", name="amount"),
)

permissions = Table(
    "permissions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    comment="as core/vocabulary/permissions.py has them",
)

run_payers = Table(
    "run_payers",
    metadata,
    Column("run_id", Integer, nullable=False, index=True),
    words("clinic_id"),
    Column("commissioner", Text, comment="null: nobody is charged"),
    Column("charges", Integer, nullable=False),
    Column("amount_pence", BigInteger, nullable=False),
    Column("host", Text, comment="the clinic's host in the run; null: as the clinic has it"),
    Index("ix_run_payers_commissioner", "commissioner"),
    comment="who is charged for which clinic by each chunk of a run",
)

# Views that the database derives

_derived = MetaData()

memberships = Table(
    "memberships",
    _derived,
    Column("user_id", Integer),
    Column("organisation_id", Integer),
    Column("role", Text),
    Column("kind", Text),
    Column("subscription_id", Integer),
    comment="the roles of today: those of subscriptions in force",
)
