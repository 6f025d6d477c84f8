"""``grouper price``: checks, groups and prices activity files offline."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cli.check import DATA_HAS_ERRORS, DIRECTORY, FILE, directory, names_of
from cli.offline import keep_pandas_out, refuse_overwriting
from cli.shipped import CONFIGURATION, DATASET


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--dataset", required=True, type=DATASET, help="Data set: a YAML file, or its name.")
@click.option(
    "--configuration", required=True, type=CONFIGURATION, help="Tariff: a YAML file, or its name."
)
@click.option("--clinics", required=True, type=FILE, help="Hosts (csv: clinic_id,commissioner).")
@click.option("--areas", type=FILE, help="Areas (csv: lsoa,district) in place of the register.")
@click.option("--provider", required=True, help="Provider code of the submission.")
@click.option("--month", required=True, metavar="YYYY-MM", help="Month of the submission.")
@click.option("--out", type=DIRECTORY, default=Path(), help="Folder of the results; default here.")
@click.option("--transpose", is_flag=True, help="Rows carry one activity code each.")
@click.option("--sheet", metavar="NAME", help="Sheet of workbooks; default the first visible.")
@click.option("--skip-errors", is_flag=True, help="Leave records in error out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def price(
    files: tuple[Path, ...],
    *,
    dataset: Path,
    configuration: Path,
    clinics: Path,
    areas: Path | None,
    provider: str,
    month: str,
    out: Path,
    transpose: bool,
    sheet: str | None,
    skip_errors: bool,
    as_json: bool,
) -> int:
    """Price activity FILEs, in the order of upload: charges.csv, episodes.csv, errors.csv.

    Exit code 0: priced; 1: the data has errors (nothing is priced); 2: wrong use.
    """
    keep_pandas_out()
    from core.engine.areas.hosts import read_hosts
    from core.engine.areas.register import AreaRegister
    from core.engine.dataset.specification import load_specification
    from core.engine.offline.price_summary import as_document, as_text
    from core.engine.offline.pricing import RESULTS, Tariff, price_files, write_results
    from core.engine.tariff.configuration import load_configuration
    from core.engine.tariff.months import parse_month

    results = [out / name for name in RESULTS.values()]
    refuse_overwriting(results, (*files, dataset, configuration, clinics, areas))
    specification = load_specification(dataset)
    register = AreaRegister.from_csv(areas) if areas else AreaRegister.shipped()
    rules = load_configuration(configuration, specification)
    tariff = Tariff(
        specification=specification,
        configuration=rules,
        provider=provider,
        month=parse_month(month),
        hosts=read_hosts(clinics, register, rules.commissioners),
        register=register,
    )
    named = list(zip(names_of(files), files, strict=True))
    outcome = price_files(named, tariff, transpose=transpose, sheet=sheet, skip_errors=skip_errors)
    paths = write_results(directory(out), outcome, tariff)
    if as_json:
        document = as_document(outcome, tariff, paths)
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        click.echo(as_text(outcome, tariff, paths))
    return 0 if outcome.calculation is not None else DATA_HAS_ERRORS
