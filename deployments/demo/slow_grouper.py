"""The calculation once more, slowly: the oracle that ``core`` must agree with.

Written record by record from docs/formats.md with dictionaries and ``Decimal``; it shares no code
with ``core``. It has one function for each rule, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, str]
Yaml = dict[str, Any]


@dataclass
class Episode:
    clinic: str
    patient: str
    date: str
    residence: str = ""
    single: dict[str, str] = field(default_factory=dict)  # column -> latest non-blank value
    united: dict[str, list[str]] = field(default_factory=dict)  # field -> codes, first come first

    @property
    def key(self) -> tuple[str, str, str]:
        return self.clinic, self.patient, self.date


def columns_of(item: Yaml) -> list[str]:
    if "repeat" in item:
        return [f"{item['name']} {slot}" for slot in range(1, item["repeat"] + 1)]
    return [item["name"]]


def listed(text: str, codes: list[str]) -> str:
    """Exactly, else without regard to case, else as numbers without leading zeros."""
    if text in codes:
        return text
    for code in codes:
        if code.lower() == text.lower():
            return code
    for code in codes:
        if code.isdigit() and text.isdigit() and int(code) == int(text):
            return code
    raise ValueError(f"{text!r} is not listed")


def spell(value: str, item: Yaml, specification: Yaml) -> str:
    value = value.strip()
    if value and item.get("type") == "code":
        return listed(value, [str(code) for code in specification["code_lists"][item["codes"]]])
    return value


def role(specification: Yaml, name: str) -> str:
    return next(str(item["name"]) for item in specification["fields"] if item.get("role") == name)


def merge(rows: list[Row], specification: Yaml) -> list[Episode]:
    """Rows in the order of upload, then of row."""
    episodes: dict[tuple[str, str, str], Episode] = {}
    for row in rows:
        key = tuple(
            row[role(specification, name)].strip() for name in ("clinic", "patient", "date")
        )
        episode = episodes.setdefault(key, Episode(*key))  # type: ignore[arg-type]
        for item in specification["fields"]:
            for column in columns_of(item):
                value = spell(row.get(column) or "", item, specification)
                if not value:
                    continue
                if item.get("on_conflict") == "union":
                    codes = episode.united.setdefault(item["name"], [])
                    if value not in codes:
                        codes.append(value)
                else:
                    episode.single[column] = value
                if item.get("role") == "residence":
                    episode.residence = value
    return list(episodes.values())


def values_of(episode: Episode, name: str, specification: Yaml) -> list[str]:
    item = next(item for item in specification["fields"] if item["name"] == name)
    if item.get("on_conflict") == "union":
        return episode.united.get(name, [])
    return [episode.single[column] for column in columns_of(item) if column in episode.single]


def holds(statement: str, episode: Episode, specification: Yaml) -> bool:
    for part in statement.split(" AND "):
        negated = part.startswith("NOT ")
        name, _, code = part.removeprefix("NOT ").partition(" = ")
        item = next(item for item in specification["fields"] if item["name"] == name)
        spelled = spell(code, item, specification)
        if (spelled in values_of(episode, name, specification)) == negated:
            return False
    return True


def fired(episode: Episode, configuration: Yaml, specification: Yaml) -> set[str]:
    return {
        currency["code"]
        for currency in configuration["currencies"]
        if any(holds(text, episode, specification) for text in currency["triggers"])
    }


def combine(charged: set[str], rules: list[dict[str, list[str]]]) -> set[str]:
    done: set[int] = set()
    changing = True
    while changing:
        changing = False
        for number, rule in enumerate(rules):
            if number not in done and set(rule["if"]) <= charged:
                charged = (charged - set(rule["if"])) | set(rule["then"])
                done.add(number)
                changing = True
    return charged


def primary_of(charged: set[str], currencies: list[Yaml]) -> str:
    best: Yaml = {}
    for currency in currencies:
        if currency["code"] in charged and (
            not best or Decimal(currency["primary"]) > Decimal(best["primary"])
        ):
            best = currency
    return str(best["code"])


def responsible(district: str | None, configuration: Yaml, counties: dict[str, str]) -> str | None:
    """The nearest of district and county that takes part; where neither does, the upper tier."""
    if district is None or district in configuration["commissioners"]:
        return district
    return counties.get(district, district)


def factor_of(host: str, configuration: Yaml, provider: str) -> Decimal:
    factor = configuration["providers"][provider].get("factor")
    if factor is None:
        factor = configuration["commissioners"].get(host, {}).get("geo_weighting")
    return Decimal(1) if factor is None else Decimal(str(factor))


def pay(
    cross_charge: str, district: str | None, host: str, participating: set[str]
) -> tuple[str, str]:
    """Commissioner and basis, from the table."""
    if cross_charge == "none":
        return host, "host"
    if district in participating:
        return str(district), "resident"
    if district is None:
        return ("", "none") if cross_charge == "local_limited" else (host, "host")
    return (district, "resident") if cross_charge == "full" else ("", "none")


def price(
    rows: list[Row],
    specification: Yaml,
    configuration: Yaml,
    *,
    provider: str,
    hosts: dict[str, str],
    districts: dict[str, str],
    counties: dict[str, str] | None = None,
) -> list[Row]:
    """The charges as rows of charges.csv, without the reason, in its order."""
    charges: list[Row] = []
    for episode in merge(rows, specification):
        charged = combine(
            fired(episode, configuration, specification), configuration.get("combinations", [])
        )
        if not charged:
            continue
        primary = primary_of(charged, configuration["currencies"])
        home = responsible(districts.get(episode.residence), configuration, counties or {})
        host = responsible(hosts[episode.clinic], configuration, counties or {}) or ""
        factor = factor_of(host, configuration, provider)
        for currency in configuration["currencies"]:
            if currency["code"] not in charged:
                continue
            rate_type = "primary" if currency["code"] == primary else "additional"
            rate = Decimal(currency[rate_type])
            commissioner, basis = pay(
                currency["cross_charge"],
                home,
                host,
                set(configuration["commissioners"]),
            )
            amount = (rate * factor).quantize(Decimal("0.01"), ROUND_HALF_UP)
            charges.append(
                {
                    "clinic_id": episode.clinic,
                    "patient_id": episode.patient,
                    "attendance_date": episode.date,
                    "currency": currency["code"],
                    "rate_type": rate_type,
                    "rate": f"{rate:.2f}",
                    "factor": f"{factor.normalize():f}",
                    "amount": f"{amount:.2f}" if commissioner else "0.00",
                    "commissioner": commissioner,
                    "basis": basis,
                }
            )
    first_four = ("clinic_id", "patient_id", "attendance_date", "currency")
    return sorted(charges, key=lambda charge: [charge[name] for name in first_four])
