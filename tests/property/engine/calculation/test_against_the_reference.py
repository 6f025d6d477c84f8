"""The calculation and the slow reference agree on every charge."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import HealthCheck, given, settings

from core.engine.areas.register import AreaRegister
from core.engine.calculation.stages import Terms, calculate
from core.engine.dataset.specification import Specification
from core.engine.tariff.money import Money
from deployments.demo.slow_grouper import price, spell
from tests.property.engine.calculation.cases import AREAS, COUNTIES, HOSTS, Case, Row, cases

REGISTER = AreaRegister(
    pa.array(AREAS),
    pa.array(AREAS.values()).dictionary_encode(),
    pa.nulls(len(AREAS), pa.date32()),
    listed_counties=COUNTIES,
)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def records_of(case: Case, specification: Specification) -> pa.Table:
    """The files as the reader leaves them: coded, blanks null, codes as listed."""
    fields = {field["name"]: field for field in case.specification["fields"]}
    columns = {
        column: [
            spell(row[column], fields[field.name], case.specification) or None for row in case.rows
        ]
        for column, field in specification.columns.items()
    }
    table = pa.table(
        {
            name: pa.array(values, pa.string()).dictionary_encode()
            for name, values in columns.items()
        }
    )
    files = [number for number, rows in enumerate(case.files) for _ in rows]
    rows = [row for rows in case.files for row in range(2, len(rows) + 2)]
    table = table.append_column("file", pa.array(files, pa.int32()))
    return table.append_column("row", pa.array(rows, pa.int32()))


def as_rows(charges: pa.Table) -> list[Row]:
    """Charges as charges.csv has them, without the reason."""
    found = [
        charge | {"rate": Money(charge["rate"]).plain, "amount": Money(charge["amount"]).plain}
        for charge in charges.drop_columns("reason").to_pylist()
    ]
    for charge in found:
        charge["commissioner"] = charge["commissioner"] or ""
    first_four = ("clinic_id", "patient_id", "attendance_date", "currency")
    return sorted(found, key=lambda charge: [charge[name] for name in first_four])


def charges_of(case: Case) -> pa.Table:
    specification, configuration = case.parsed()
    return calculate(
        records_of(case, specification),
        Terms(
            specification,
            configuration,
            provider="ZX1",
            hosts=HOSTS,
            register=REGISTER,
        ),
    ).charges


@MANY
@given(cases())
def test_every_charge_is_that_of_the_reference(case: Case) -> None:
    charges = charges_of(case)
    expected = price(
        case.rows,
        case.specification,
        case.configuration,
        provider="ZX1",
        hosts=HOSTS,
        districts=AREAS,
        counties=COUNTIES,
    )
    assert as_rows(charges) == expected
    assert charges["reason"].null_count == 0


@MANY
@given(cases())
def test_an_episode_with_charges_has_one_primary(case: Case) -> None:
    charges = charges_of(case)
    keys = ["clinic_id", "patient_id", "attendance_date"]
    flags = pa.table(
        [charges[key].cast(pa.string()) for key in keys]
        + [pc.equal(charges["rate_type"].cast(pa.string()), "primary").cast(pa.int32())],
        [*keys, "primary"],
    )
    sums = flags.group_by(keys).aggregate([("primary", "sum")])["primary_sum"].to_pylist()
    assert all(count == 1 for count in sums)


@MANY
@given(cases(on_conflict="union"))
def test_how_files_are_cut_does_not_matter_where_codes_are_united(case: Case) -> None:
    whole = Case(case.specification, case.configuration, [case.rows])
    cut = Case(case.specification, case.configuration, [[row] for row in case.rows])
    assert (
        charges_of(whole).to_pylist() == charges_of(cut).to_pylist() == charges_of(case).to_pylist()
    )


@MANY
@given(cases())
def test_only_equal_primary_rates_depend_on_the_order_of_currencies(case: Case) -> None:
    rates = [currency["primary"] for currency in case.configuration["currencies"]]
    used = [c for c in case.configuration["currencies"] if c["triggers"] or c["primary"] != "1.00"]
    if len({currency["primary"] for currency in used}) < len(used) or "1.00" in rates:
        return
    turned = case.configuration | {"currencies": case.configuration["currencies"][::-1]}
    other = Case(case.specification, turned, case.files)
    assert as_rows(charges_of(case)) == as_rows(charges_of(other))


@MANY
@given(cases())
def test_totals_agree_whichever_way_they_are_added(case: Case) -> None:
    charges = charges_of(case).select(["currency", "commissioner", "clinic_id", "amount", "basis"])
    total = pc.sum(charges["amount"]).as_py() or 0
    for column in ("currency", "commissioner", "clinic_id"):
        parts: dict[str | None, int] = {}
        for row in charges.to_pylist():
            parts[row[column]] = parts.get(row[column], 0) + row["amount"]
        assert sum(parts.values()) == total
        if column == "commissioner":
            assert parts.get(None, 0) == 0
    nobody = pc.equal(charges["basis"].cast(pa.string()), "none").to_pylist()
    assert nobody == [value is None for value in charges["commissioner"].to_pylist()]
