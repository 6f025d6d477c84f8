"""Which authority is responsible for a district: docs/formats.md, rule 8.

Public health is a duty of upper-tier and unitary authorities: of a county for its districts. The
nearest of district and county that a configuration names pays; where it names neither, the county.
"""

from __future__ import annotations

from collections.abc import Container

from core.engine.areas.register import AreaRegister

FOR_WHICH = "The residence lies in {district}, for which {county} commissions."
HOST_FOR_WHICH = "The clinic lies in {district}, for which {county} commissions."


def responsible_authority(
    code: str, register: AreaRegister, commissioners: Container[str] = ()
) -> str:
    """The authority that pays for a district; itself, unless its county does.

    ``commissioners`` are the authorities that the configuration names.
    """
    county = register.county_of(code)
    return code if county is None or code in commissioners else county


def step_words(template: str, district: str, authority: str, register: AreaRegister) -> str:
    """The sentence that names the step from a district to its county."""
    return template.format(district=register.named(district), county=register.named(authority))
