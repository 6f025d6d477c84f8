"""Makes a month of synthetic activity of one provider: equal seeds make equal records."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.areas.register import AreaRegister
from core.engine.columns.coded import Coded
from core.engine.dataset.specification import load_specification
from core.engine.samples import marginals
from core.engine.samples.faults import spoil
from core.engine.samples.marginals import Shares
from core.engine.tariff.months import Month

SPECIFICATION = Path(__file__).parent.parent / "dataset" / "library" / "sexual-health.yaml"
HOSTS = (
    ("E09000030", "Mile End"),
    ("E09000012", "Homerton"),
    ("E09000025", "Stratford"),
    ("E09000001", "Aldgate"),
)
"""Districts of the illustrative configuration, each with a clinic's name."""
CLINICS = 3

Picks = npt.NDArray[np.int32]
BLANK = -1


def sample_clinics(provider: str) -> list[tuple[str, str, str]]:
    """Clinic id, name and host district of a provider's three clinics."""
    start = sum(provider.encode()) + 1
    hosts = [HOSTS[(start + number) % len(HOSTS)] for number in range(CLINICS)]
    return [
        (f"{provider}-{letter}", f"{name} Clinic", district)
        for letter, (district, name) in zip("ABC", hosts, strict=True)
    ]


def make_activity(
    rows: int, provider: str, month: datetime.date, seed: int, errors: float = 0.0
) -> pa.Table:
    """``rows`` records in the standard layout of sexual health, coded, blanks null.

    A share ``errors`` of the rows gets one error of mixed kinds; the others have none.
    """
    specification = load_specification(SPECIFICATION)
    columns = _Activity(rows, provider, month, np.random.Generator(np.random.PCG64(seed))).columns()
    columns = spoil(columns, errors, np.random.Generator(np.random.PCG64([seed, 1])))
    return pa.table({name: _column(columns, name, rows) for name in specification.columns})


def _column(columns: dict[str, Coded], name: str, rows: int) -> pa.Array:
    if name in columns:
        return columns[name].to_array()
    return Coded(np.full(rows, BLANK, np.int32), pa.array([], pa.string())).to_array()


@dataclass
class _Activity:
    """Draws columns; home, age and so on are the same in all records of a patient."""

    rows: int
    provider: str
    month: datetime.date
    rng: np.random.Generator

    def columns(self) -> dict[str, Coded]:
        key = self._key()
        return {
            **key,
            **self._people(),
            **self._visit(),
            **self._codes("SHHAPT", marginals.SHHAPT, self._activity_counts()),
            **self._codes("SRH Care Activity", marginals.SRH_CARE, self._care_counts()),
            **self._contraception(),
        }

    @cached_property
    def source(self) -> npt.NDArray[np.int64]:
        """The record that supplies the key: the previous one for records that repeat an episode."""
        own = np.arange(self.rows)
        again = self.rng.random(self.rows) < marginals.RECORDED_TWICE
        again[:1] = False
        return np.where(again, own - 1, own)

    @cached_property
    def patient(self) -> Picks:
        patients = max(1, int(self.rows * 0.9))
        return self.rng.integers(0, patients, self.rows, dtype=np.int32)[self.source]

    @cached_property
    def clinic(self) -> Picks:
        drawn = self.rng.choice(CLINICS, self.rows, p=[0.5, 0.3, 0.2]).astype(np.int32)
        return drawn[self.source]

    def _key(self) -> dict[str, Coded]:
        clinics = [clinic for clinic, _, _ in sample_clinics(self.provider)]
        days = _days(self.month)
        weights = np.array([marginals.WEEKDAYS[day.weekday()] for day in days])
        day = self.rng.choice(len(days), self.rows, p=weights / weights.sum()).astype(np.int32)
        numbers = pa.array(np.arange(10_000_000, 10_000_000 + int(self.patient.max(initial=0)) + 1))
        return {
            "Clinic ID": Coded(self.clinic, pa.array(clinics)),
            "Patient ID": Coded(self.patient, numbers.cast(pa.string())),
            "Attendance Date": Coded(day[self.source], pa.array([str(day) for day in days])),
            "LSOA": self._homes(),
            "Organisation ID": Coded(np.zeros(self.rows, np.int32), pa.array([self.provider])),
        }

    def _homes(self) -> Coded:
        """Residences, mostly near the clinic; the same at all visits of a patient to one clinic."""
        register = AreaRegister.shipped()
        standing = pc.is_null(register.ended)
        areas, districts = register.codes.filter(standing), register.districts.filter(standing)
        every = np.arange(len(areas), dtype=np.int32)
        drawn = self.rng.random(self.rows)
        home = len(areas) + self._pick(marginals.PSEUDO).codes
        nearby = [every[_within(districts, host)] for _, _, host in sample_clinics(self.provider)]
        together = every[_within(districts, *(host for host, _ in HOSTS))]
        limit = marginals.HOME_NEAR
        for clinic, near in enumerate(nearby):
            _assign_homes(home, (drawn < limit) & (self.clinic == clinic), near, self.rng)
        for share, choice in (
            (marginals.HOME_PARTICIPATING, together),
            (marginals.HOME_ELSEWHERE, every),
        ):
            _assign_homes(home, (drawn >= limit) & (drawn < limit + share), choice, self.rng)
            limit += share
        return Coded(home[self.source], pa.concat_arrays([areas, pa.array(marginals.PSEUDO)]))

    def _people(self) -> dict[str, Coded]:
        age = np.clip(self.rng.gamma(6.0, 2.6, self.rows) + 14.5, 15, 89).astype(np.int32)
        practice = self.rng.integers(0, marginals.PRACTICES, self.rows, dtype=np.int32)
        practice[self.rng.random(self.rows) < marginals.BLANK_PRACTICE] = BLANK
        practices = [f"F{84000 + 7 * number:05d}" for number in range(marginals.PRACTICES)]
        drawn = {
            "Age": Coded(age, pa.array([str(years) for years in range(90)])),
            "Gender": self._pick(marginals.GENDER),
            "Ethnicity": self._pick(marginals.ETHNICITY),
            "Sexual Orientation": self._pick(marginals.ORIENTATION),
            "GP Practice Code": Coded(practice, pa.array(practices)),
            "Country of Birth": self._pick(marginals.BIRTH_COUNTRY),
        }
        return {
            name: Coded(column.codes[self.patient], column.values) for name, column in drawn.items()
        }

    def _visit(self) -> dict[str, Coded]:
        drawn = {
            "First Attendance": self._pick(marginals.FIRST_ATTENDANCE),
            "Consultation Medium Used": self._pick(marginals.MEDIUM),
            "Location Type": self._pick(marginals.LOCATION),
        }
        return {
            name: Coded(column.codes[self.source], column.values) for name, column in drawn.items()
        }

    def _activity_counts(self) -> Picks:
        shares = marginals.ACTIVITY_CODES
        return self.rng.choice(len(shares), self.rows, p=shares).astype(np.int32)

    def _care_counts(self) -> Picks:
        some = self.rng.random(self.rows) < marginals.WITH_SRH_CARE
        return np.where(some, 1 + (self.rng.random(self.rows) < 0.1), 0).astype(np.int32)

    def _codes(self, field: str, shares: Shares, counts: Picks) -> dict[str, Coded]:
        """As many different codes as ``counts`` says, in the first slots of a field."""
        slots: list[Picks] = []
        values = pa.array(shares)
        for _ in range(int(counts.max(initial=0))):
            codes = self._pick(shares).codes
            for _ in slots:  # a code that an earlier slot has makes way for the next in the list
                for earlier in slots:
                    codes = np.where(codes == earlier, (codes + 1) % len(values), codes)
            slots.append(codes.astype(np.int32))
        return {
            f"{field} {slot + 1}": Coded(np.where(slot < counts, codes, BLANK), values)
            for slot, codes in enumerate(slots)
        }

    def _contraception(self) -> dict[str, Coded]:
        """Status and main method as the national rules require: advice alone has no method."""
        some = self.rng.random(self.rows) < marginals.WITH_CONTRACEPTION
        status = self._pick(marginals.METHOD_STATUS)
        advice = status.codes == list(marginals.METHOD_STATUS).index("4")
        method, other_method = self._pick(marginals.MAIN_METHOD), self._pick(marginals.OTHER_METHOD)
        with_other = some & ~advice & (self.rng.random(self.rows) < marginals.WITH_OTHER_METHOD)
        return {
            "Contraceptive Main Method": _where(some & ~advice, method),
            "Contr. Main Method Status": _where(some, status),
            "Contraception Other Method 1": _where(with_other, other_method),
            "Contrac. Method Post Coital 1": self._pick(marginals.POST_COITAL),
        }

    def _pick(self, shares: Shares) -> Coded:
        """One value a row; the empty text is a blank."""
        weights = np.array(list(shares.values()))
        edges = np.cumsum(weights / weights.sum())
        drawn = np.searchsorted(edges[:-1], self.rng.random(self.rows), side="right")
        values = [value for value in shares if value]
        codes = np.array([values.index(value) if value else BLANK for value in shares], np.int32)
        return Coded(codes[drawn], pa.array(values))


def _days(month: datetime.date) -> list[datetime.date]:
    last = Month.of(month).last.day
    return [month.replace(day=day) for day in range(1, last + 1)]


def _within(districts: pa.DictionaryArray, *codes: str) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = np.isin(
        districts.indices.to_numpy(),
        pc.index_in(pa.array(codes), value_set=districts.dictionary).to_numpy(),
    )
    return inside


def _assign_homes(
    home: Picks, here: npt.NDArray[np.bool_], areas: Picks, rng: np.random.Generator
) -> None:
    """Draws a home among the areas for the marked rows."""
    home[here] = areas[rng.integers(0, len(areas), int(here.sum()))]


def _where(mask: npt.NDArray[np.bool_], column: Coded) -> Coded:
    return Coded(np.where(mask, column.codes, BLANK).astype(np.int32), column.values)
