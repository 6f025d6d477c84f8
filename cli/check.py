"""``grouper check``: validates activity files offline."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.offline import keep_pandas_out, quiet_readers, refuse_overwriting
from cli.shipped import DATASET
from core.user_errors import UserError

if TYPE_CHECKING:
    from core.engine.dataset.specification import Specification
    from core.engine.offline.checking import FileCheck

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE_TO_WRITE = click.Path(dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)
DATA_HAS_ERRORS = 1


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--dataset", required=True, type=DATASET, help="Data set: a YAML file, or its name.")
@click.option("--areas", type=FILE, help="Areas (csv: lsoa,district) in place of the register.")
@click.option("--out", type=DIRECTORY, default=Path(), help="Where errors.csv goes; default here.")
@click.option("--transpose", is_flag=True, help="Rows carry one activity code each.")
@click.option("--sheet", metavar="NAME", help="Sheet of workbooks; default the first visible.")
@click.option("--marked", type=FILE_TO_WRITE, metavar="OUT.xlsx", help="A marked copy of the file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(
    files: tuple[Path, ...],
    *,
    dataset: Path,
    areas: Path | None,
    out: Path,
    transpose: bool,
    sheet: str | None,
    marked: Path | None,
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

    refuse_overwriting([out / "errors.csv"], (*files, dataset, areas))
    refuse_marking(files, marked)
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
    if marked is not None:
        write_marked(files[0], marked, checks[0], specification, sheet=sheet)
    if as_json:
        document = as_document(checks, errors_csv=str(errors_csv), dataset=specification.dataset)
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        click.echo(as_text(checks, errors_csv=str(errors_csv)))
    return DATA_HAS_ERRORS if any(checked.error_count for checked in checks) else 0


def refuse_marking(files: tuple[Path, ...], marked: Path | None) -> None:
    """Raises ``UserError`` where there is more than one file to copy, or the copy would be it."""
    if marked is None:
        return
    if len(files) > 1:
        raise UserError("--marked copies one file; check the files one by one.")
    if marked.suffix.lower() != ".xlsx":
        raise UserError(f"{marked}: the marked copy is a workbook; give it a name with .xlsx.")
    try:
        marked.parent.mkdir(parents=True, exist_ok=True)
        marked.touch()
    except OSError as error:
        raise UserError(f"{marked}: cannot be written: {error.strerror or error}") from error
    if marked.stat().st_size == 0:
        marked.unlink()
    if marked.exists() and marked.samefile(files[0]):
        raise UserError(f"{marked}: the copy would take the place of the file itself.")


def write_marked(
    path: Path, out: Path, check: FileCheck, specification: Specification, *, sheet: str | None
) -> None:
    """Writes the copy, and says where it is if it took several workbooks."""
    from core.engine.offline.copied_rows import NothingToMark
    from core.engine.offline.marked_copy import marks_of, write_marked_copy

    columns = ("row", "field", "severity", "message")
    findings = (
        row
        for batch in check.errors.select(columns).to_batches(max_chunksize=10_000)
        for row in zip(*(batch[name].to_pylist() for name in columns), strict=True)
    )
    marks = marks_of(findings, [heading.column for heading in check.headings])
    try:
        written = write_marked_copy(path, out, marks, specification, sheet=sheet)
    except NothingToMark as told:  # which the findings say too
        click.echo(str(told), err=True)
        return
    if len(written) > 1:
        names = ", ".join(str(each) for each in written)
        click.echo(f"The marked copy takes several workbooks: {names}", err=True)


def names_of(files: tuple[Path, ...]) -> list[str]:
    """File names as reports show them: with their folders where two have the same name."""
    times = Counter(path.name for path in files)
    return [shown(path.name if times[path.name] == 1 else str(path)) for path in files]


def shown(name: str) -> str:
    """A name as it can be written: bytes that are no UTF-8 become the replacement character."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def directory(path: Path) -> Path:
    """The folder, created if it is missing; raises ``UserError`` where that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot make this folder: {error.strerror}") from error
    return path
