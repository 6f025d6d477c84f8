"""``grouper price`` on random files agrees with the slow reference, charge for charge."""

from __future__ import annotations

import csv
import shutil
import tempfile
from pathlib import Path

import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.price import price
from deployments.demo import slow_grouper
from tests.property.engine.calculation.cases import AREAS, COUNTIES, HOSTS, Case, Row, cases


def hosts_of(counties: dict[str, str]) -> dict[str, str]:
    """A list without counties knows no county that could host a clinic."""
    return HOSTS if counties else HOSTS | {"K-3": "D2"}


def write_list(path: Path, headings: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([headings, *rows])
    return path


def priced(case: Case, folder: Path, counties: dict[str, str]) -> list[Row]:
    """The rows of charges.csv without their reason; without counties, areas have no such column."""
    places = [[lsoa, district, counties.get(district, "")] for lsoa, district in AREAS.items()]
    headings = [*case.rows[0]]
    files = [
        write_list(folder / f"{number}.csv", headings, [list(row.values()) for row in rows])
        for number, rows in enumerate(case.files)
        if rows
    ]
    options = {
        "dataset": folder / "dataset.yaml",
        "configuration": folder / "configuration.yaml",
        "clinics": write_list(
            folder / "clinics.csv",
            ["clinic_id", "commissioner"],
            [list(pair) for pair in hosts_of(counties).items()],
        ),
        "areas": write_list(
            folder / "areas.csv",
            ["lsoa", "district", "county"][: 3 if counties else 2],
            places if counties else [place[:2] for place in places],
        ),
        "out": folder / "out",
    }
    options["dataset"].write_text(yaml.safe_dump(case.specification))
    options["configuration"].write_text(yaml.safe_dump(case.configuration))
    arguments = [str(path) for path in files] + ["--provider=ZX1", "--month=2017-04"]
    arguments += [f"--{name}={path}" for name, path in options.items()]
    ended = CliRunner().invoke(price, arguments, standalone_mode=False, catch_exceptions=False)
    assert ended.return_value == 0, ended.output
    with (folder / "out/charges.csv").open(newline="", encoding="utf-8") as lines:
        return [
            {name: value for name, value in row.items() if name != "reason"}
            for row in csv.DictReader(lines)
        ]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases().filter(lambda case: case.rows), st.sampled_from([{}, COUNTIES]))
def test_the_command_charges_what_the_reference_charges(
    case: Case, counties: dict[str, str]
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        found = priced(case, folder, counties)
    finally:
        shutil.rmtree(folder)
    assert found == slow_grouper.price(
        case.rows,
        case.specification,
        case.configuration,
        provider="ZX1",
        hosts=hosts_of(counties),
        districts=AREAS,
        counties=counties,
    )
