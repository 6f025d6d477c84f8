"""The kinds of areas: what the first three characters of a code say."""

from __future__ import annotations

import re

LSOA = "LSOA"

PREFIXES = {
    "K02": "union",
    "K04": "union",
    "E92": "country",
    "W92": "country",
    "S92": "country",
    "N92": "country",
    "E12": "region",
    "E10": "county",
    "E06": "unitary authority",
    "W06": "unitary authority",
    "E07": "non-metropolitan district",
    "E08": "metropolitan district",
    "E09": "London borough",
    "S12": "council area",
    "N09": "district council area",
    "E01": LSOA,
    "W01": LSOA,
}
"""Source: Office for National Statistics, Register of Geographic Codes."""

KINDS = tuple(dict.fromkeys(PREFIXES.values()))
"""From the top down."""

DISTRICTS = KINDS[KINDS.index("unitary authority") : KINDS.index(LSOA)]
"""The kinds of the areas that LSOAs lie in and that pay charges."""

COUNTY = "county"
NO_COMMISSIONERS = ("E11", "E12", "E13", "E47")
"""Metropolitan counties, regions, inner and outer London, combined authorities: none pays charges.
Source: Office for National Statistics, Register of Geographic Codes."""

AUTHORITIES = (COUNTY, *DISTRICTS)
"""The kinds that public health is, or was, a duty of."""

LSOA_PREFIXES = tuple(prefix for prefix, kind in PREFIXES.items() if kind == LSOA)

LSOA_PATTERN = f"^({'|'.join(LSOA_PREFIXES)})"

_CODE = re.compile(r"[A-Z]\d{8}")


def is_code(text: str) -> bool:
    """Whether a text has the form of an area code."""
    return _CODE.fullmatch(text) is not None


def kind_of(code: str) -> str | None:
    """The kind of an area; None for those that charges do not depend on, such as wards."""
    return PREFIXES.get(code[:3])
