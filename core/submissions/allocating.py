"""Stage: commissioners. Who pays each line; the table of charges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.areas.register import AreaRegister
from core.datasets.coded import Coded
from core.submissions.coded import BLANK, Codes, coded, distinct_rows, taken
from core.submissions.episodes import Merged
from core.submissions.pricing import Priced
from core.submissions.schema import CHARGES_SCHEMA
from core.tariffs.commissioners import BASIS, Payer, Residence, payers
from core.tariffs.configuration import Configuration
from core.tariffs.money import shortest
from core.tariffs.reasons import nobody_words

RATE_TYPES = ("additional", "primary")


def allocate(
    priced: Priced, configuration: Configuration, hosts: Mapping[str, str], register: AreaRegister
) -> pa.Table:
    """The charges (``CHARGES_SCHEMA``); a line that nobody pays is kept with amount 0."""
    merged = priced.merged
    clinic, patient, date = (coded(merged.episodes[name]) for name in merged.key_columns)
    district = _districts(merged, register)
    residence = _residence(district, configuration)[priced.episode]
    payer = payers(configuration)[priced.currency, residence]
    columns = [
        *(taken(key, priced.episode) for key in (clinic, patient, date)),
        _words(priced.currency, [currency.code for currency in configuration.currencies]),
        _words(priced.is_primary.astype(np.int32), RATE_TYPES),
        priced.rate,
        _words(priced.factor, [shortest(factor) for factor in priced.factors]),
        np.where(payer == Payer.NOBODY, 0, priced.amount),
        _commissioner(payer, taken(district, priced.episode), taken(clinic, priced.episode), hosts),
        _words(payer.astype(np.int32), BASIS),
        _reason(priced, payer, taken(district, priced.episode), configuration),
    ]
    arrays = [one.to_array() if isinstance(one, Coded) else pa.array(one) for one in columns]
    return pa.table(arrays, schema=CHARGES_SCHEMA)


def _words(codes: Codes, values: tuple[str, ...] | list[str]) -> Coded:
    return Coded(codes, pa.array(values, pa.string()))


def _districts(merged: Merged, register: AreaRegister) -> Coded:
    """The district of each episode's residence, blank where none is known."""
    if merged.residence is None:
        return _words(np.full(merged.episodes.num_rows, BLANK, np.int32), [])
    lived = coded(merged.episodes[merged.residence])
    known = coded(register.district_of(lived.values))
    return Coded(np.append(known.codes, np.int32(BLANK))[lived.codes], known.values)


def _residence(district: Coded, configuration: Configuration) -> npt.NDArray[np.int8]:
    classes = [
        Residence.PARTICIPATING if code in configuration.commissioners else Residence.ELSEWHERE
        for code in district.values.to_pylist()
    ]
    found: npt.NDArray[np.int8] = np.array([*classes, Residence.UNKNOWN], np.int8)[district.codes]
    return found


def _commissioner(
    payer: npt.NDArray[np.int8], district: Coded, clinic: Coded, hosts: Mapping[str, str]
) -> Coded:
    """District of the resident or of the clinic's host, blank where nobody pays."""
    host_of_clinic = [hosts[name] for name in clinic.values.to_pylist()]
    names = {name: place for place, name in enumerate(district.values.to_pylist())}
    host = [names.setdefault(name, len(names)) for name in host_of_clinic]
    hosted = np.array([*host, BLANK], np.int32)[clinic.codes]
    by_payer = (district.codes, hosted, np.int32(BLANK))
    return _words(np.choose(payer, by_payer).astype(np.int32), list(names))


def _reason(
    priced: Priced, payer: npt.NDArray[np.int8], district: Coded, configuration: Configuration
) -> Coded:
    """The reason of each line; where nobody pays it says why."""
    reason = priced.reason.copy()
    reasons = list(priced.reasons)
    unpaid = np.flatnonzero(payer == Payer.NOBODY)
    if len(unpaid):
        parts = [priced.reason[unpaid], priced.currency[unpaid], district.codes[unpaid]]
        kind, example = distinct_rows(parts)
        reason[unpaid] = len(reasons) + kind
        for told, currency, where in zip(*(part[example] for part in parts), strict=True):
            name = None if where < 0 else district.values[int(where)].as_py()
            words = nobody_words(configuration.currencies[currency].code, name)
            reasons.append(f"{reasons[told]} {words}")
    return _words(reason, reasons)
