"""Runs a trial over the data that its author may see; never over a few patients for an author
without the right to see patients.

A query does not show on which patients its figure rests. So the query is run again without each of
several groups of patients. A group without which the figure is unchanged does not contribute to it;
where fewer groups contribute than the required number of patients, the figure is withheld. It is
shown to three digits, since further digits could encode other data.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal

from sqlalchemy import Engine

from core.kpis.definitions import Kpi
from core.kpis.measuring import (
    KpiRefused,
    KpiSession,
    Measurement,
    kpi_session,
    refuse_forbidden,
)
from core.kpis.trial_rights import TrialRights
from core.settings import settings

GROUPS = 4
"""Groups for each required patient; a small month has a group for each patient."""
DIGITS = Context(prec=3)
TIMES = 10
"""The limit of all queries together, as a multiple of the limit of one."""
_SYSTEM = random.SystemRandom()


def try_out(
    engine: Engine, kpi: Kpi, dataset: str, run_id: int, rights: TrialRights
) -> Measurement:
    """The indicator's value for its author; raises ``KpiRefused``."""
    seconds = settings().kpi_seconds
    refuse_forbidden(engine, kpi, dataset)
    with kpi_session(engine, run_id, rights.commissioners) as session:
        if rights.patients:
            return session.measure(kpi, dataset, seconds)
        return _Floored(session, kpi, dataset, settings().kpi_patients, seconds).measure()


class _Floored:
    """The figure of a session, withheld unless it rests on enough patients."""

    def __init__(
        self, session: KpiSession, kpi: Kpi, dataset: str, fewest: int, seconds: float
    ) -> None:
        self._session = session
        self._kpi = kpi
        self._dataset = dataset
        self._fewest = fewest
        self._seconds = seconds
        self._until = time.monotonic() + TIMES * seconds

    def measure(self) -> Measurement:
        patients = self._session.patients(self._dataset, self._seconds)
        if len(patients) < self._fewest:
            raise self._too_few()
        try:
            whole = self._figures()
            parts = [self._without(group) for group in self._groups(patients)]
            nobody = self._without(patients)
        except KpiRefused as refused:
            # Which of them it was would say something of the patients left out.
            raise KpiRefused(f"{refused} {self._too_few()}") from None
        for figure, of_parts, empty in zip(whole, zip(*parts, strict=True), nobody, strict=True):
            matter = sum(part != figure for part in of_parts)
            if matter < self._fewest and not (matter == 0 and figure == empty):
                raise self._too_few()
        return Measurement(*whole)

    def _without(self, patients: Sequence[str]) -> tuple[Decimal, Decimal]:
        self._session.leave_out(patients)
        return self._figures()

    def _figures(self) -> tuple[Decimal, Decimal]:
        left = min(self._seconds, self._until - time.monotonic())
        if left <= 0:
            raise KpiRefused(f"The trial took longer than {TIMES * self._seconds:g} seconds.")
        found = self._session.measure(self._kpi, self._dataset, left)
        return _rounded(found.numerator), _rounded(found.denominator)

    def _groups(self, patients: Sequence[str]) -> Iterator[Sequence[str]]:
        """Groups of one size, chosen at random, so that no query can foresee them."""
        mixed = _SYSTEM.sample(patients, len(patients))
        number = min(len(patients), GROUPS * self._fewest)
        return (mixed[first::number] for first in range(number))

    def _too_few(self) -> KpiRefused:
        return KpiRefused(
            f"Your role sees figures over at least {self._fewest} patients, and this one rests on "
            "fewer, or on values of few."
        )


def _rounded(figure: Decimal) -> Decimal:
    return DIGITS.plus(figure)
