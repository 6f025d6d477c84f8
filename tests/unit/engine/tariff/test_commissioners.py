from __future__ import annotations

import pytest

from core.engine.tariff.commissioners import TABLE, Payer, Residence
from core.engine.tariff.configuration import CrossCharge

R, H, N = Payer


@pytest.mark.parametrize(
    ("cross_charge", "participating", "unknown", "elsewhere"),
    [
        ("full", R, H, R),
        ("local_unlimited", R, H, N),
        ("local_limited", R, N, N),
        ("none", H, H, H),
    ],
)
def test_who_pays(
    cross_charge: CrossCharge, participating: Payer, unknown: Payer, elsewhere: Payer
) -> None:
    row = TABLE[cross_charge]
    assert row[Residence.PARTICIPATING] == participating
    assert row[Residence.UNKNOWN] == unknown
    assert row[Residence.ELSEWHERE] == elsewhere
