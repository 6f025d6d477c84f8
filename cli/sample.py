"""``grouper sample``: writes a synthetic activity file."""

from __future__ import annotations

from pathlib import Path

import click

from cli.offline import keep_pandas_out

OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--rows", required=True, type=click.IntRange(min=1), help="Number of records.")
@click.option("--provider", required=True, help="Provider code, such as ZX1.")
@click.option("--month", required=True, metavar="YYYY-MM", help="Month of the attendances.")
@click.option("--seed", required=True, type=click.IntRange(min=0), help="Same seed, same file.")
@click.option(
    "--layout",
    type=click.Choice(["SRHAD", "GUMCADv3"], case_sensitive=False),
    default="SRHAD",
    show_default=True,
    help="One row an episode, or one row an activity (data set sexual-health-2019).",
)
@click.option("--errors", type=click.FloatRange(0, 1), default=0.0, help="Share of wrong rows.")
@click.option("--out", required=True, type=OUT, help="File to write: .csv or .xlsx.")
@click.option("--clinics-out", type=OUT, help="Also write the list that `price --clinics` reads.")
def sample(
    *,
    rows: int,
    provider: str,
    month: str,
    seed: int,
    layout: str,
    errors: float,
    out: Path,
    clinics_out: Path | None,
) -> None:
    """Write a synthetic activity file: a month of one provider with three clinics.

    The same seed gives the same bytes. The records are valid for the sexual health data set, but
    for the share of rows that --errors asks for.
    """
    keep_pandas_out()
    from core.engine.samples.activity import make_activity, sample_clinics
    from core.engine.samples.one_row_an_activity import make_activity_rows
    from core.engine.samples.writing import write_activity, write_clinics
    from core.engine.tariff.months import parse_month

    make = make_activity if layout == "SRHAD" else make_activity_rows
    activity = make(rows, provider, parse_month(month), seed, errors)
    write_activity(activity, out)
    click.echo(f"{out}: {rows:,} records of {provider} in {month}")
    if clinics_out:
        write_clinics(sample_clinics(provider), clinics_out)
        click.echo(f"{clinics_out}: the clinics of {provider} and their host districts")
