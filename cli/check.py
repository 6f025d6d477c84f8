"""``grouper check``: validates activity files offline."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from cli.offline import keep_pandas_out, quiet_readers
from cli.shipped import DATASET
from core.user_errors import UserError

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)
DATA_HAS_ERRORS = 1


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--dataset", required=True, type=DATASET, help="Data set: a YAML file, or its name.")
@click.option("--areas", type=FILE, help="Areas (csv: lsoa,district) in place of the register.")
@click.option("--out", type=DIRECTORY, default=Path(), help="Where errors.csv goes; default here.")
@click.option("--transpose", is_flag=True, help="Rows carry one activity code each.")
@click.option("--sheet", metavar="NAME", help="Sheet of workbooks; default the first visible.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(
    files: tuple[Path, ...],
    *,
    dataset: Path,
    areas: Path | None,
    out: Path,
    transpose: bool,
    sheet: str | None,
    as_json: bool,
) -> int:
    """Check activity FILEs against a data set and write errors.csv.

    Exit code 0: no errors; 1: the data has errors; 2: wrong use.
    """
    keep_pandas_out()
    from core.engine.areas.register import AreaRegister
    from core.engine.dataset.error_report import write_errors
    from core.engine.dataset.specification import load_specification
    from core.engine.offline.check_summary import as_document, as_text
    from core.engine.offline.checking import References, check_file

    specification = load_specification(dataset)
    register = AreaRegister.from_csv(areas) if areas else AreaRegister.shipped()
    references = References(lsoas=register)
    with quiet_readers():
        checks = [
            check_file(
                path,
                specification,
                references,
                transpose=transpose,
                name=name,
                sheet=sheet,
                keep_records=False,
            )
            for path, name in zip(files, names_of(files), strict=True)
        ]
    errors_csv = directory(out) / "errors.csv"
    write_errors(errors_csv, ((checked.name, checked.errors) for checked in checks))
    if as_json:
        document = as_document(checks, errors_csv=str(errors_csv), dataset=specification.dataset)
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        click.echo(as_text(checks, errors_csv=str(errors_csv)))
    return DATA_HAS_ERRORS if any(checked.error_count for checked in checks) else 0


def names_of(files: tuple[Path, ...]) -> list[str]:
    """File names as reports show them: with their folders where two have the same name."""
    times = Counter(path.name for path in files)
    return [path.name if times[path.name] == 1 else str(path) for path in files]


def directory(path: Path) -> Path:
    """The folder, created if it is missing; raises ``UserError`` where that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot make this folder: {error.strerror}") from error
    return path
