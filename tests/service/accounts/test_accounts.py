"""Subscriptions, invoices and organisations on a real database, by commands of administrators."""

from __future__ import annotations

import csv
import datetime as dt
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import sqlalchemy as sa

from core.access.audit_trail import AuditSearch, search_audit
from core.access.scope import EVERYTHING, NotAllowed, scope_of
from core.access.users import add_user, find_user
from core.accounts import invoices, organisations, subscriptions
from core.accounts.clinics import add_or_place_clinic, list_clinics
from core.accounts.daily import update_subscriptions
from core.accounts.invoice_csv import COLUMNS, invoices_csv
from core.accounts.invoice_list import Invoice, find_invoice, list_invoices
from core.accounts.invoice_workbook import invoice_workbook
from core.accounts.organisations import find_organisation
from core.accounts.subscription_list import list_subscriptions
from core.database import tables
from core.engine.areas.register import AreaRegister
from core.reports.overview import charged_to
from core.settings import Settings, use_settings
from core.user_errors import UserError
from core.vocabulary.permissions import Action, Kind
from tests.service.month import APRIL, TOWER_HAMLETS, visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tests.service.month import Service

DAY = dt.date(2026, 1, 15)


@pytest.fixture
def connection(service: Service) -> Iterator[Connection]:
    """A transaction that is rolled back in the end."""
    with service.engine.connect() as connection:
        yield connection


def quoted(connection: Connection, kind: Kind = Kind.PROVIDER_PLUS, **changed: Any) -> int:
    provider = find_organisation(connection, "provider", "ZX1").id
    user = find_user(connection, "amira@zx1.example")
    values = {"kind": kind, "user_id": user, "organisation_id": provider, "first_day": DAY}
    wanted = subscriptions.Quote(**{**values, **changed})
    return subscriptions.quote(connection, wanted, today=DAY, user_id=None)


def bill(connection: Connection, number: int) -> Invoice:
    [found] = list_invoices(connection, EVERYTHING, subscription_id=number)
    return found


def last_day(connection: Connection, number: int, today: dt.date = DAY) -> dt.date | None:
    rows = {row.id: row for row in list_subscriptions(connection, EVERYTHING, today)}
    return rows[number].last_day


def pay(connection: Connection, invoice: Invoice, on: dt.date, amount: Decimal) -> Decimal:
    return invoices.record_payment(
        connection, invoice.id, amount, on=on, user_id=None, today=on, reference="BACS"
    )


def test_ten_months_and_twelve_when_paid_in_time(connection: Connection) -> None:
    number = quoted(connection)
    assert last_day(connection, number) is None
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    assert last_day(connection, number) == dt.date(2026, 11, 14)
    invoice = bill(connection, number)
    assert (invoice.net, invoice.vat, invoice.total) == (680, 136, 816)
    assert invoice.due_on == DAY + dt.timedelta(days=30)
    assert pay(connection, invoice, DAY, Decimal(16)) == 800
    assert last_day(connection, number) == dt.date(2026, 11, 14)  # not in full yet
    assert pay(connection, invoice, DAY + dt.timedelta(days=30), Decimal(800)) == 0
    assert last_day(connection, number) == dt.date(2027, 1, 14)


def test_a_day_too_late_is_ten_months(connection: Connection) -> None:
    number = quoted(connection)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    pay(connection, bill(connection, number), DAY + dt.timedelta(days=31), Decimal(816))
    assert last_day(connection, number) == dt.date(2026, 11, 14)


@pytest.mark.parametrize("amount", ["0", "-1", "816.01", "0.001"])
def test_no_payment_but_of_what_is_open(connection: Connection, amount: str) -> None:
    number = quoted(connection)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    with pytest.raises(UserError, match=r"£816\.00 is open"):
        pay(connection, bill(connection, number), DAY, Decimal(amount))


def test_added_organisations_have_their_price(connection: Connection) -> None:
    other = find_organisation(connection, "provider", "ZX2").id
    number = quoted(connection)
    with_it = quoted(connection)
    subscriptions.add_organisation(connection, with_it, other, on=DAY, user_id=None)
    subscriptions.invoice(connection, with_it, on=DAY, user_id=None)
    assert [line.net for line in bill(connection, with_it).lines] == [680, 345]
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    later = DAY + dt.timedelta(days=40)
    subscriptions.add_organisation(connection, number, other, on=later, user_id=None)
    added, _ = list_invoices(connection, EVERYTHING, subscription_id=number)
    assert (added.net, added.total, added.issued_on) == (345, 414, later)
    with pytest.raises(UserError, match="holds for that organisation already"):
        subscriptions.add_organisation(connection, number, other, on=later, user_id=None)


def test_kinds_keep_to_their_side(connection: Connection) -> None:
    commissioner = find_organisation(connection, "commissioner", "E09000030").id
    with pytest.raises(UserError, match="is a commissioner; Provider"):
        quoted(connection, organisation_id=commissioner)
    with pytest.raises(UserError, match="is of an organisation"):
        quoted(connection, organisation_id=None)
    with pytest.raises(UserError, match="is a provider; administrator"):
        quoted(connection, Kind.ADMINISTRATOR)


def test_a_credited_invoice_is_written_anew_and_never_paid(connection: Connection) -> None:
    number = quoted(connection)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    first = bill(connection, number)
    with pytest.raises(UserError, match="is invoiced already"):
        subscriptions.invoice(connection, number, on=DAY, user_id=None)
    invoices.credit(connection, first.id, on=DAY, reason="wrong address", user_id=None)
    with pytest.raises(UserError, match="is not to be paid"):
        pay(connection, first, DAY, Decimal(816))
    later = DAY + dt.timedelta(days=10)
    subscriptions.invoice(connection, number, on=later, user_id=None)
    again, note, _ = list_invoices(connection, EVERYTHING, subscription_id=number)
    assert (note.bill, note.total, note.credits) == ("credit note", 816, first.number)
    assert [line.text for line in note.lines] == [f"Credit of {first.reference}: wrong address"]
    assert again.lines == first.lines
    assert last_day(connection, number) == dt.date(2026, 11, 14)  # it began with the first
    with pytest.raises(UserError, match="was credited already"):
        invoices.credit(connection, first.id, on=DAY, reason="", user_id=None)


def test_what_costs_nothing_is_paid_at_once(connection: Connection) -> None:
    number = quoted(connection, Kind.BASIC_PROVIDER)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    assert bill(connection, number).state == "paid"
    assert last_day(connection, number) == dt.date(2027, 1, 14)


def test_the_daily_care_warns_once_and_quotes_one_renewal(connection: Connection) -> None:
    number = quoted(connection)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    end = dt.date(2026, 11, 14)
    update_subscriptions(connection, DAY)
    told = []
    for left in (61, 60, 59, 30, 30, 7, 1, 0, -1, -2):
        cared = update_subscriptions(connection, end - dt.timedelta(days=left))
        told.append((left, cared.warned, cared.renewals))
    assert [each for each in told if each[1:] != (0, 0)] == [(60, 1, 1), (30, 1, 0), (7, 1, 0)]
    events = tables.events
    query = sa.select(events.c.payload["days_left"].as_integer()).where(
        events.c.name == "subscription.ending"
    )
    assert connection.execute(query.order_by(events.c.id)).scalars().all() == [60, 30, 7]
    rows = list_subscriptions(connection, EVERYTHING, end)
    [renewal] = [row for row in rows if row.renews == number]
    assert (renewal.state, renewal.first_day, renewal.price) == (
        "quoted", end + dt.timedelta(days=1), 680,
    )  # fmt: skip


def test_the_daily_care_may_come_late(connection: Connection) -> None:
    number = quoted(connection)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    end = dt.date(2026, 11, 14)
    cared = update_subscriptions(connection, end - dt.timedelta(days=20))
    assert cared.warned == 1  # of what holds now, not of what was missed
    late = update_subscriptions(connection, end + dt.timedelta(days=400))
    assert (late.warned, late.renewals) == (0, 0)
    state = sa.select(tables.subscriptions.c.state).where(tables.subscriptions.c.id == number)
    assert connection.execute(state).scalar_one() == "ended"


def test_numbers_have_no_gaps_whoever_invoices_at_once(service: Service) -> None:
    with service.engine.begin() as connection:
        numbers = [quoted(connection) for _ in range(8)]
        before = len(list_invoices(connection, EVERYTHING))
    together = threading.Barrier(8)

    def press(place: int) -> None:
        with service.engine.connect() as connection:
            together.wait()
            subscriptions.invoice(connection, numbers[place], on=DAY, user_id=None)
            if place % 2:
                connection.commit()
            else:
                connection.rollback()  # and its number is the next one's

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(press, range(8)))
    with service.engine.connect() as connection:
        found = sorted(each.number for each in list_invoices(connection, EVERYTHING))
    assert found == list(range(1, before + 5))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices SET total = total + 1, net = net + 1",
        "DELETE FROM invoice_lines",
        "UPDATE payments SET amount = 1",
        "DELETE FROM invoices",
    ],
)
def test_what_was_billed_is_never_changed(connection: Connection, statement: str) -> None:
    subscriptions.invoice(connection, quoted(connection), on=DAY, user_id=None)
    with pytest.raises(sa.exc.DBAPIError, match=r"never changed|violates foreign key"):
        connection.execute(sa.text(statement))


def test_a_spreadsheet_calculates_nothing_of_what_people_wrote(connection: Connection) -> None:
    organisations.rename_organisation(connection, "ZX1", '=HYPERLINK("x")', user_id=None)
    organisations.change_address(connection, "ZX1", "+1 Lane|@Town", user_id=None)
    number = quoted(connection)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    invoice = bill(connection, number)
    [row] = csv.DictReader(io.StringIO(invoices_csv([invoice], account_code="200")))
    assert tuple(row) == COLUMNS
    assert row["*ContactName"] == '\'=HYPERLINK("x")'
    assert (row["POAddressLine1"], row["POAddressLine2"]) == ("'+1 Lane", "'@Town")
    assert (row["*InvoiceDate"], row["*UnitAmount"], row["*TaxType"]) == (
        "15/01/2026", "680.00", "20% (VAT on Income)",
    )  # fmt: skip
    chosen = Settings(invoice_from="=1+1|2 Road", invoice_bank="@bank", invoice_vat_number="1")
    sheet = openpyxl.load_workbook(io.BytesIO(invoice_workbook(invoice, chosen))).active
    assert sheet is not None
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {"=1+1", '=HYPERLINK("x")', "+1 Lane", "@bank"} <= {str(c.value) for c in cells}
    assert "f" not in {cell.data_type for cell in cells}


def test_vat_is_a_setting_and_rounded_to_the_penny(connection: Connection) -> None:
    use_settings(Settings(vat_percent=Decimal("17.5")))
    try:
        number = quoted(connection, price=Decimal("33.33"))
        subscriptions.invoice(connection, number, on=DAY, user_id=None)
    finally:
        use_settings(None)
    invoice = bill(connection, number)
    assert (invoice.vat, invoice.total) == (Decimal("5.83"), Decimal("39.16"))


def test_a_subscriber_sees_their_own_invoices_alone(connection: Connection) -> None:
    number = quoted(connection)
    subscriptions.invoice(connection, number, on=DAY, user_id=None)
    reference = bill(connection, number).reference
    amira = scope_of(connection, find_user(connection, "amira@zx1.example"))
    assert find_invoice(connection, amira, reference).subscription_id == number
    ben = scope_of(connection, find_user(connection, "ben@zx2.example"))
    with pytest.raises(UserError, match="there is no invoice"):
        find_invoice(connection, ben, reference)


def test_a_renamed_organisation_is_found_by_both_names(connection: Connection) -> None:
    organisations.rename_organisation(connection, "ZX1", "River Health", user_id=None)
    for name in ("river", "lea valley", "ZX1"):
        [found] = organisations.list_organisations(connection, EVERYTHING, search=name)
        assert (found.code, found.name) == ("ZX1", "River Health")
        assert found.old_names == ["Lea Valley Sexual Health (fictional)"]
    [other] = organisations.list_organisations(connection, EVERYTHING, search="ZX2")
    assert other.old_names == []


def test_a_merged_commissioner_keeps_its_charges_and_is_seen_by_both(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4", lsoa=TOWER_HAMLETS))
    service.run(month, "final")
    with service.engine.connect() as connection:
        hana = add_user(connection, "hana", "Hana", None, user_id=None)
        hackney = find_organisation(connection, "commissioner", "E09000012").id
        today = dt.datetime.now(dt.UTC).date()
        wanted = subscriptions.Quote(Kind.COMMISSIONER, hana, hackney, today)
        subscriptions.quote_and_invoice(connection, wanted, today=today, user_id=None)

        def seen() -> list[dt.date]:
            found = charged_to(connection, scope_of(connection, hana), "E09000030")
            return [row.month for row in found]

        assert seen() == []
        organisations.merge_organisations(connection, "E09000030", "E09000012", user_id=None)
        assert seen() == [APRIL]
        payer = sa.select(tables.charges.c.commissioner).distinct()
        assert connection.execute(payer).scalars().all() == ["E09000030"]
        with pytest.raises(UserError, match="part of another organisation already"):
            organisations.merge_organisations(connection, "E09000030", "E09000025", user_id=None)
        organisations.undo_merge(connection, "E09000030", user_id=None)
        assert seen() == []
        merges = connection.execute(sa.select(tables.organisation_merges)).all()
        assert len(merges) == 1
        assert merges[0].undone_at is not None


def test_providers_and_commissioners_do_not_become_one(connection: Connection) -> None:
    with pytest.raises(UserError, match="of the same kind"):
        organisations.merge_organisations(connection, "ZX1", "E09000012", user_id=None)


def test_a_second_contract_is_an_organisation_of_its_own(connection: Connection) -> None:
    organisations.add_organisation(
        connection, "provider", "ZX1-B", "Lea Valley, Essex", part_of="ZX1", user_id=None
    )
    [found] = organisations.list_organisations(connection, EVERYTHING, search="essex")
    assert found.part_of == "ZX1"
    amira = scope_of(connection, find_user(connection, "amira@zx1.example"))
    assert not amira.may(Action.UPLOAD, found.id)


def test_clinics_are_placed_and_have_addresses(connection: Connection) -> None:
    provider = find_organisation(connection, "provider", "ZX1").id
    values = {"register": AreaRegister.shipped(), "user_id": None}
    add_or_place_clinic(connection, provider, "ZX1-Q", "E09000012", name="Quay", **values)
    add_or_place_clinic(connection, provider, "ZX1-Q", "E09000030", address="1 Quay", **values)
    [clinic] = list_clinics(connection, EVERYTHING, search="quay")
    assert (clinic.host, clinic.name, clinic.address) == ("E09000030", "Quay", "1 Quay")


def test_the_audit_is_searched_by_who_what_and_when(connection: Connection) -> None:
    erin = find_user(connection, "erin@grouper.example")
    organisations.rename_organisation(connection, "ZX2", "Renamed", user_id=erin)
    scope = scope_of(connection, erin)
    wanted = AuditSearch(who="erin", what="renamed zx2")
    [row] = search_audit(connection, scope, wanted)
    assert row.detail == {"old": "Thames Reach Clinics (fictional)", "new": "Renamed"}
    later = AuditSearch(who="erin", since=row.at + dt.timedelta(seconds=1))
    assert search_audit(connection, scope, later) == []
    with pytest.raises(NotAllowed):
        search_audit(
            connection, scope_of(connection, find_user(connection, "dev@grouper.example")), wanted
        )


def test_the_price_list_is_that_of_the_terms() -> None:
    from core.accounts.prices import ADDED_ORGANISATION, PRICES

    assert ADDED_ORGANISATION == 345
    for kind in (Kind.PROVIDER_PLUS, Kind.COMMISSIONER, Kind.CLUSTER_MANAGER):
        assert PRICES[kind] == 680
