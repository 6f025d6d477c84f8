"""Stage: commissioners. Who pays each line; the table of charges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.engine.areas.hosts import Hosts
from core.engine.areas.register import AreaRegister
from core.engine.calculation.pricing import Priced
from core.engine.calculation.residence import ResidenceAuthorities, residence_of
from core.engine.calculation.schema import CHARGES_SCHEMA
from core.engine.columns.coded import Coded
from core.engine.columns.joins import BLANK, Codes, at_rows, coded, distinct_rows
from core.engine.tariff.commissioners import BASIS, Payer, Residence, payers
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.money import shortest
from core.engine.tariff.reasons import nobody_words

RATE_TYPES = ("additional", "primary")


def allocate(
    priced: Priced, configuration: Configuration, hosts: Hosts, register: AreaRegister
) -> pa.Table:
    """The charges (``CHARGES_SCHEMA``); a line that nobody pays stays, with amount 0."""
    merged = priced.merged
    clinic, patient, date = (coded(merged.episodes[name]) for name in merged.key_columns)
    lived = residence_of(merged, register, configuration.commissioners)
    residence = _residence(lived.authority, configuration)[priced.episode]
    payer = payers(configuration)[priced.currency, residence]
    columns = [
        *(at_rows(key, priced.episode) for key in (clinic, patient, date)),
        _words(priced.currency, [currency.code for currency in configuration.currencies]),
        _words(priced.is_primary.astype(np.int32), RATE_TYPES),
        priced.rate,
        _words(priced.factor, [shortest(factor) for factor in priced.factors]),
        np.where(payer == Payer.NOBODY, 0, priced.amount),
        _commissioner(
            payer,
            at_rows(lived.authority, priced.episode),
            at_rows(clinic, priced.episode),
            hosts.authorities,
        ),
        _words(payer.astype(np.int32), BASIS),
        _reason(priced, payer, lived, configuration, _host_notes(clinic, hosts)),
    ]
    arrays = [
        column.to_array() if isinstance(column, Coded) else pa.array(column) for column in columns
    ]
    return pa.table(arrays, schema=CHARGES_SCHEMA)


def _words(codes: Codes, values: tuple[str, ...] | list[str]) -> Coded:
    return Coded(codes, pa.array(values, pa.string()))


def _residence(authority: Coded, configuration: Configuration) -> npt.NDArray[np.int8]:
    classes = [
        Residence.PARTICIPATING if code in configuration.commissioners else Residence.ELSEWHERE
        for code in authority.values.to_pylist()
    ]
    residence: npt.NDArray[np.int8] = np.array([*classes, Residence.UNKNOWN], np.int8)[
        authority.codes
    ]
    return residence


def _commissioner(
    payer: npt.NDArray[np.int8], authority: Coded, clinic: Coded, hosts: Mapping[str, str]
) -> Coded:
    """The authority of the residence or the clinic's host, blank where nobody pays."""
    host_of_clinic = [hosts[name] for name in clinic.values.to_pylist()]
    names = {name: place for place, name in enumerate(authority.values.to_pylist())}
    host = [names.setdefault(name, len(names)) for name in host_of_clinic]
    hosted = np.array([*host, BLANK], np.int32)[clinic.codes]
    by_payer = (authority.codes, hosted, np.int32(BLANK))
    return _words(np.choose(payer, by_payer).astype(np.int32), list(names))


def _host_notes(clinic: Coded, hosts: Hosts) -> Coded:
    """The note on the host of each episode's clinic, if that authority ended."""
    notes = coded(pa.array(map(hosts.notes.get, clinic.values.to_pylist()), pa.string()))
    return Coded(np.append(notes.codes, np.int32(BLANK))[clinic.codes], notes.values)


def _reason(
    priced: Priced,
    payer: npt.NDArray[np.int8],
    lived: ResidenceAuthorities,
    configuration: Configuration,
    host_note: Coded,
) -> Coded:
    """The reason of each line: why nobody pays, or which authority preceded the one that pays."""
    reason, reasons = priced.reason.copy(), list(priced.reasons)
    authority, before, step = (
        at_rows(column, priced.episode) for column in (lived.authority, lived.earlier, lived.step)
    )

    def nobody(reason_code: int, currency: int, where: int) -> str:
        name = None if where < 0 else authority.values[where].as_py()
        return (
            f"{reasons[reason_code]} {nobody_words(configuration.currencies[currency].code, name)}"
        )

    def preceded(reason_code: int, words: int) -> str:
        return f"{reasons[reason_code]} {before.values[words].as_py()}"

    def commissioned(reason_code: int, words: int) -> str:
        return f"{reasons[reason_code]} {step.values[words].as_py()}"

    def host_differs(reason_code: int, words: int) -> str:
        return f"{reasons[reason_code]} {note.values[words].as_py()}"

    unpaid = np.flatnonzero(payer == Payer.NOBODY)
    _add(reason, reasons, unpaid, (priced.currency, authority.codes), nobody)
    moved = np.flatnonzero((payer == Payer.RESIDENT) & (before.codes >= 0))
    _add(reason, reasons, moved, (before.codes,), preceded)
    of_county = np.flatnonzero((payer != Payer.HOST) & (step.codes >= 0))
    _add(reason, reasons, of_county, (step.codes,), commissioned)
    note = at_rows(host_note, priced.episode)
    hosted = np.flatnonzero((payer == Payer.HOST) & (note.codes >= 0))
    _add(reason, reasons, hosted, (note.codes,), host_differs)
    return _words(reason, reasons)


def _add(
    reason: Codes,
    reasons: list[str],
    lines: npt.NDArray[np.int64],
    columns: Sequence[npt.NDArray[np.integer]],
    word: Callable[..., str],
) -> None:
    """Replaces the reasons of these lines; ``word`` makes the text once for each combination of the
    former reason and the values of ``columns``."""
    if not len(lines):
        return
    parts = [reason[lines], *(column[lines] for column in columns)]
    kind, example = distinct_rows(parts)
    reason[lines] = len(reasons) + kind
    new_reasons = [
        word(*map(int, row)) for row in zip(*(part[example] for part in parts), strict=True)
    ]
    reasons += new_reasons
