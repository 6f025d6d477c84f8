"""``grouper sample``: writes a synthetic activity file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from cli.offline import keep_pandas_out
from cli.shipped import DATASET

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    import pyarrow as pa


class Make(Protocol):
    """Makes the records of a provider's month."""

    def __call__(
        self, rows: int, provider: str, month: datetime.date, seed: int, *, errors: float
    ) -> pa.Table: ...


@dataclass(frozen=True)
class Kind:
    """A kind of sample: what makes its records and its clinics, and its columns of dates."""

    make: Make
    clinics: Callable[[str], list[tuple[str, str, str]]]
    dates: set[str]


OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--rows", required=True, type=click.IntRange(min=1), help="Number of records.")
@click.option("--provider", required=True, help="Provider code, such as ZX1.")
@click.option("--month", required=True, metavar="YYYY-MM", help="Month of the attendances.")
@click.option("--seed", required=True, type=click.IntRange(min=0), help="Same seed, same file.")
@click.option("--dataset", type=DATASET, help="Data set: a YAML file, or its name.")
@click.option("--layout", metavar="NAME", help="A layout of the data set, such as GUMCADv3.")
@click.option("--errors", type=click.FloatRange(0, 1), default=0.0, help="Share of wrong rows.")
@click.option("--out", required=True, type=OUT, help="File to write: .csv or .xlsx.")
@click.option("--clinics-out", type=OUT, help="Also write the list that `price --clinics` reads.")
def sample(
    *,
    rows: int,
    provider: str,
    month: str,
    seed: int,
    dataset: Path | None,
    layout: str | None,
    errors: float,
    out: Path,
    clinics_out: Path | None,
) -> None:
    """Write a synthetic activity file: a month of one provider with three clinics.

    The same seed gives the same bytes. The records are valid for the data set, but for the share of
    rows that --errors asks for. Without --dataset they are of sexual health, with plausible shares
    of codes: one row an episode, or one row an activity with --layout GUMCADv3 (the data set
    sexual-health-2019). With --dataset they are drawn from it by chance.
    """
    keep_pandas_out()
    from core.engine.samples.writing import write_activity, write_clinics
    from core.engine.tariff.months import parse_month

    first = parse_month(month)
    kind = _of_dataset(dataset, layout) if dataset else _of_sexual_health(layout)
    activity = kind.make(rows, provider, first, seed, errors=errors)
    write_activity(activity, out, dates=kind.dates)
    click.echo(f"{out}: {rows:,} records of {provider} in {month}")
    if clinics_out:
        write_clinics(kind.clinics(provider), clinics_out)
        click.echo(f"{clinics_out}: the clinics of {provider} and their host districts")


def _of_sexual_health(layout: str | None) -> Kind:
    from core.engine.samples.activity import make_activity, sample_clinics
    from core.engine.samples.one_row_an_activity import LAYOUT, make_activity_rows
    from core.engine.samples.writing import DATE

    if layout is None or layout.casefold() == "srhad":
        return Kind(make_activity, sample_clinics, {DATE})
    if layout.casefold() == LAYOUT.casefold():
        return Kind(make_activity_rows, sample_clinics, {DATE})
    raise click.BadParameter(f"{layout!r} is neither SRHAD nor {LAYOUT}", param_hint="--layout")


def _of_dataset(dataset: Path, layout: str | None) -> Kind:
    from core.engine.dataset.specification import load_specification
    from core.engine.samples.any_dataset import make_any_activity, sites_of

    whole = load_specification(dataset)
    names = {name.casefold(): name for name in whole.by_layout}
    if layout is not None and layout.casefold() not in names:
        known = ", ".join(names.values()) or "none"
        text = f"{whole.dataset} has no layout {layout!r}; its layouts are: {known}"
        raise click.BadParameter(text, param_hint="--layout")
    chosen = names[layout.casefold()] if layout else next(iter(whole.by_layout), None)
    specification = whole.in_layout(chosen)
    dates = {name for name, field in specification.columns.items() if field.type == "date"}
    return Kind(partial(make_any_activity, specification), partial(sites_of, specification), dates)
