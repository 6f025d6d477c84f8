from __future__ import annotations

from decimal import Decimal

import pytest

from core.documents import parse_document
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import (
    Configuration,
    configuration_from,
)
from core.user_errors import DocumentError

TEXT = """\
configuration: small
title: Small
dataset: sexual-health
status: live
start: 2017-04-01
end: 2018-03-31
providers:
  ZX1: {factor: 1.17}
  ZX2:
commissioners:
  E09000030: {geo_weighting: 1.05}
  E09000012: {}
currencies:
  - code: T2
    name: Two
    primary: "44.57"
    additional: "28.18"
    cross_charge: full
    triggers:
      - "SHHAPT = T2"
  - {code: T4, primary: "86.00", additional: "62", cross_charge: none, triggers: ["SHHAPT = T4"]}
combinations:
  - {if: [T2, T4], then: [T4]}
"""


def read(text: str, specification: Specification) -> Configuration:
    return configuration_from(parse_document(text, name="small.yaml"), specification)


def changed(specification: Specification, **values: object) -> Configuration:
    return read(TEXT, specification).model_copy(update=values)


def test_rates_are_pence_and_factors_exact_decimals(specification: Specification) -> None:
    small = read(TEXT, specification)
    assert [(one.primary, one.additional) for one in small.currencies] == [
        (4457, 2818),
        (8600, 6200),
    ]
    assert small.providers["ZX1"].factor == Decimal("1.17")
    assert small.providers["ZX2"].factor is None
    assert small.commissioners["E09000012"].geo_weighting is None


def test_json_gives_the_same_configuration_back(specification: Specification) -> None:
    small = read(TEXT, specification)
    assert Configuration.model_validate_json(small.model_dump_json(by_alias=True)) == small


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"SHHAPT = T2"', '"SHHAPT = T99"', "'T99' is not a code"),
        ('"SHHAPT = T2"', '"SHAPT = T2"', "no field 'SHAPT'"),
        ('"SHHAPT = T2"', '"NOT SHHAPT = T2"', "NOT alone"),
        ("if: [T2, T4]", "if: [T2, T9]", "no currency 'T9'"),
        ("then: [T4]", "then: [T9]", "no currency 'T9'"),
        ("if: [T2, T4]", "if: []", "at least 1 item"),
        ("code: T4", "code: T2", "stands there twice"),
        ('"44.57"', '"-44.57"', "negative"),
        ('"44.57"', "44.57", "quoted decimal"),
        ('"44.57"', '"44.575"', "at most two decimal places"),
        ('"44.57"', '"1e3"', "at most two decimal places"),
        ("end: 2018-03-31", "end: 2017-03-31", "before its start"),
        ("end: 2018-03-31", "end: soon", "date"),
        ("cross_charge: full", "cross_charge: sometimes", "full"),
        ("status: live", "status: alive", "draft"),
        ("factor: 1.17", "factor: -1", "greater than or equal to 0"),
        ("factor: 1.17", "factor: yes", "decimal"),
        ("factor: 1.17", "mff: 1.17", "Extra inputs"),
        ("dataset: sexual-health", "dataset: other", "not 'sexual-health'"),
        ("title: Small", "titel: Small", "Extra inputs"),
    ],
)
def test_what_is_wrong_is_refused_with_line_and_reason(
    old: str, new: str, reason: str, specification: Specification
) -> None:
    line = TEXT[: TEXT.index(old)].count("\n") + 1
    with pytest.raises(DocumentError) as refused:
        read(TEXT.replace(old, new, 1), specification)
    found = [problem for problem in refused.value.problems if reason in problem.text]
    assert [problem.place for problem in found] == [f"small.yaml:{line}"], refused.value


def test_every_problem_is_told_at_once(specification: Specification) -> None:
    text = TEXT.replace("SHHAPT = T2", "SHHAPT = T99").replace("then: [T4]", "then: [T9]")
    with pytest.raises(DocumentError) as refused:
        read(text, specification)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("factor", ["1e25", '"1e25"', "1E5", '"1,17"', "1001", '"-1"', "nan", '""'])
def test_a_factor_that_is_no_weighting_is_refused_with_its_line(
    factor: str, specification: Specification
) -> None:
    for given in ("{factor: 1.17}", "{geo_weighting: 1.05}"):
        name = given[1:-1].split(":")[0]
        text = TEXT.replace(given, f"{{{name}: {factor}}}")
        line = 1 + TEXT[: TEXT.index(given)].count("\n")
        with pytest.raises(DocumentError, match=rf"small\.yaml:{line}: .*{name}"):
            read(text, specification)


def test_authorities_are_named_by_code_in_any_case(specification: Specification) -> None:
    small = read(TEXT.replace("E09000030", "e09000030"), specification)
    assert list(small.commissioners) == ["E09000030", "E09000012"]
    with pytest.raises(DocumentError, match="E09000012 stands there twice"):
        read(TEXT.replace("E09000030", "e09000012"), specification)


@pytest.mark.parametrize("date", ["1491004800", '"1491004800"', "20170401", "1.5", "2017-4-1",
    "01/04/2017", "2017-04-01T00:00:00", "2017-04-01 23:59:59 +05:00", "true", '""'])  # fmt: skip
def test_a_date_of_another_form_is_refused_with_its_line(
    date: str, specification: Specification
) -> None:
    for name in ("start", "end"):
        lines = [
            f"{name}: {date}" if line.startswith(f"{name}: ") else line
            for line in TEXT.splitlines()
        ]
        line = lines.index(f"{name}: {date}") + 1
        with pytest.raises(DocumentError, match=rf"small\.yaml:{line}: .*write it as 2017-04-01"):
            read("\n".join(lines), specification)


@pytest.mark.parametrize("other", ["zx1", '"ZX1\\u200b"', '" ZX1"', '"ＺX1\\xad"'])
def test_a_provider_stands_there_once_however_it_is_written(
    other: str, specification: Specification
) -> None:
    text = TEXT.replace("ZX2:", f"{other}:", 1)
    assert text != TEXT
    with pytest.raises(DocumentError, match=r"one provider|write .* as"):
        read(text, specification)


def test_days_to_submit_that_no_calendar_has_are_refused(specification: Specification) -> None:
    with pytest.raises(DocumentError, match="submit_within_days"):
        read(f"{TEXT}\nsubmit_within_days: 99999999999\n", specification)
