"""Stage: tariff values. One primary line an episode, the factor, and the amount of each line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.engine.calculation.combining import Combined
from core.engine.calculation.episodes import Merged
from core.engine.columns.joins import Codes, coded, distinct_rows, spread
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.money import multiplied
from core.engine.tariff.prices import factor_of, primary_ranks
from core.engine.tariff.reasons import rate_words
from core.user_errors import UserError

Pence = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Priced:
    """One entry a charge line, episode by episode in the order of the currency list.

    ``episode`` is the row in ``merged.episodes``; ``factor`` and ``reason`` count in ``factors``
    and ``reasons``; ``rate`` and ``amount`` are pence.
    """

    merged: Merged
    episode: Codes
    currency: Codes
    is_primary: npt.NDArray[np.bool_]
    rate: Pence
    factor: Codes
    amount: Pence
    reason: Codes
    factors: list[Decimal]
    reasons: list[str]


def price(
    combined: Combined, configuration: Configuration, provider: str, hosts: Mapping[str, str]
) -> Priced:
    """Prices every line; raises ``UserError`` where a clinic has no host commissioner."""
    is_primary, primary = _primary(combined, configuration)
    rate = _rates(configuration)[np.where(is_primary, 0, 1), combined.currency]
    reason, reasons = _reasons(combined, configuration, is_primary, primary)

    counts = combined.counts[combined.signature]
    episode = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    line = spread(combined.starts[combined.signature], counts)
    clinics = coded(combined.merged.episodes[combined.merged.key_columns[0]])
    factors, factor_of_clinic = _factors(clinics.values, configuration, provider, hosts)
    factor = factor_of_clinic[clinics.codes[episode]]
    currency, primary_line = combined.currency[line], is_primary[line]
    return Priced(
        merged=combined.merged,
        episode=episode,
        currency=currency,
        is_primary=primary_line,
        rate=rate[line],
        factor=factor,
        amount=_amounts(configuration, currency, primary_line, factor, factors),
        reason=reason[line],
        factors=factors,
        reasons=reasons,
    )


def _primary(
    combined: Combined, configuration: Configuration
) -> tuple[npt.NDArray[np.bool_], Codes]:
    """For each entry: whether it is its signature's primary, and which currency is."""
    ranks = primary_ranks(configuration)
    rank = ranks[combined.currency]
    charged = combined.counts > 0
    least = np.minimum.reduceat(rank, combined.starts[charged]) if len(rank) else rank
    best = np.repeat(least, combined.counts[charged])
    by_rank = np.argsort(ranks).astype(np.int32)
    return rank == best, by_rank[best]


def _rates(configuration: Configuration) -> Pence:
    """Primary rates, additional rates: pence by place of the currency."""
    primary = [currency.primary for currency in configuration.currencies]
    additional = [currency.additional for currency in configuration.currencies]
    return np.array([primary, additional], np.int64)


def _reasons(
    combined: Combined,
    configuration: Configuration,
    is_primary: npt.NDArray[np.bool_],
    primary: Codes,
) -> tuple[Codes, list[str]]:
    """The story of each entry, and why it has its rate."""
    currencies = configuration.currencies
    rates = _rates(configuration)[0]
    alone = np.repeat(combined.counts, combined.counts) == 1
    equal = np.where(
        is_primary,
        _has_equal(combined, rates),
        rates[combined.currency] == rates[primary],
    )
    codes, example = distinct_rows([combined.reason, is_primary, alone, equal, primary])
    words = [
        rate_words(
            alone=bool(alone[at]),
            is_primary=bool(is_primary[at]),
            equal=bool(equal[at]),
            primary=currencies[primary[at]].code,
        )
        for at in example
    ]
    stories = [combined.reasons[combined.reason[at]] for at in example]
    return codes, [f"{story} {why}" for story, why in zip(stories, words, strict=True)]


def _has_equal(combined: Combined, rates: Pence) -> npt.NDArray[np.bool_]:
    """Whether several entries of the signature have its highest primary rate."""
    rate = rates[combined.currency]
    if not len(rate):
        return np.zeros(0, np.bool_)
    charged = combined.counts > 0
    starts, counts = combined.starts[charged], combined.counts[charged]
    highest = np.repeat(np.maximum.reduceat(rate, starts), counts)
    several = np.add.reduceat((rate == highest).astype(np.int64), starts) > 1
    return np.repeat(several, counts)


def _factors(
    clinics: pa.StringArray, configuration: Configuration, provider: str, hosts: Mapping[str, str]
) -> tuple[list[Decimal], Codes]:
    """The distinct factors, and which of them each clinic has."""
    names = clinics.to_pylist()
    missing = [name for name in names if name not in hosts]
    if missing:
        raise UserError(f"no host commissioner is known for the clinic {', '.join(missing)}")
    if provider not in configuration.providers:
        raise UserError(f"{provider!r} is not a provider of {configuration.configuration!r}")
    places: dict[Decimal, int] = {}
    by_clinic = [factor_of(configuration, provider, hosts[name]) for name in names]
    codes = [places.setdefault(factor, len(places)) for factor in by_clinic]
    return list(places), np.array(codes, np.int32)


def _amounts(
    configuration: Configuration,
    currency: Codes,
    is_primary: npt.NDArray[np.bool_],
    factor: Codes,
    factors: list[Decimal],
) -> Pence:
    """The amount of each line; a pair of rate and factor is multiplied once, in exact decimals."""
    rates = _rates(configuration)
    shape = (*rates.shape, len(factors))
    place = np.ravel_multi_index((np.where(is_primary, 0, 1), currency, factor), shape)
    amounts = np.zeros(rates.size * len(factors), np.int64)
    for at in np.flatnonzero(np.bincount(place, minlength=len(amounts))):
        kind, which, met = np.unravel_index(at, shape)
        amounts[at] = multiplied(int(rates[kind, which]), factors[met])
    return amounts[place]
