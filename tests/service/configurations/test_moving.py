"""A provider moves from one tariff to another, with two data sets live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.configurations.importing import Change
from core.operations.dataset_import import NamedText, import_together
from tests.service.configurations.world import (
    APRIL,
    JULY,
    JUNE,
    MAY,
    PENCE,
    SWIMS,
    TARIFF,
    payers,
    pence,
    read_again,
    reset,
    submitted,
    swimming,
    upload,
)
from tests.service.month import visit

if TYPE_CHECKING:
    from tests.service.month import Service

LEFT = TARIFF.replace("{ZX1: {factor: 1}}", "{ZX2: {factor: 1}}")
JOINED = (
    TARIFF.replace("swims-2017", "coast")
    .replace("start: 2017-04-01", "start: 2017-06-01")
    .replace("{factor: 1}", "{factor: 2}")
)


def test_a_provider_that_moves_is_priced_by_each_tariff_in_its_months(service: Service) -> None:
    health = service.month()
    service.ready(health, visit(1, "T2"), visit(2, "T4"))
    service.run(health, "final")
    before = (pence(service, health), payers(service, health))
    swimming(service)
    april = submitted(service)
    june = service.month(month=JUNE, dataset=SWIMS)
    file_id = upload(service, june)
    service.check(file_id)
    service.run(june, "draft")
    texts = [NamedText("coast.yaml", JOINED), NamedText("left.yaml", LEFT)]
    with service.engine.begin() as connection:
        change = Change(JUNE, "it joins the coast")
        _, consequences = import_together(connection, texts, change=change)
    assert (
        "Not submitted yet, and priced by another tariff or revision: June 2017 of ZX1."
        in consequences.sentences
    )
    read_again(service)
    service.run(june, "final")
    assert pence(service, june) == 2 * PENCE
    for month, factor in ((MAY, 1), (JULY, 2)):
        number = service.month(month=month, dataset=SWIMS)
        service.check(upload(service, number))
        service.run(number, "final")
        assert pence(service, number) == factor * PENCE
    for number, pounds in ((april, PENCE), (june, 2 * PENCE)):
        reset(service, number)
        service.run(number, "final")
        assert pence(service, number) == pounds
    assert (pence(service, health), payers(service, health)) == before
    assert service.month(month=APRIL, dataset=SWIMS) == april
