from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.statements import parse_statement
from core.engine.tariff.triggers import WORD, Trigger, holds, layout_of, triggers_of


def fires(texts: list[str], episode: dict[str, str], specification: Specification) -> bool:
    """Whether one of the statements holds for an episode of one slot a field."""
    triggers = [Trigger(0, parse_statement(text, specification)) for text in texts]
    layout = layout_of(triggers)
    words = [np.zeros(1, np.uint64) for _ in range(layout.words)]
    for name, code in episode.items():
        for word, marks in layout.marks(specification.by_name[name], pa.array([code])):
            words[word] |= marks[[0]]
    return any(holds(trigger.statement, layout, words)[0] for trigger in triggers)


COITAL, MAIN, STATUS = (
    "Contrac. Method Post Coital", "Contraceptive Main Method", "Contr. Main Method Status",
)  # fmt: skip


@pytest.mark.parametrize(
    ("coital", "main", "status", "expected"),
    [
        ("1", "", "", True),
        ("", "1", "1", True),
        ("", "1", "", True),
        ("", "1", "4", False),
        ("1", "1", "4", True),
        ("2", "", "", False),
    ],
)
def test_the_published_truth_table(
    coital: str, main: str, status: str, expected: bool, specification: Specification
) -> None:
    statements = [f"{COITAL} = 1", f"{MAIN} = 1 AND NOT {STATUS} = 4"]
    episode = {
        name: code for name, code in ((COITAL, coital), (MAIN, main), (STATUS, status)) if code
    }
    assert fires(statements, episode, specification) == expected


@pytest.mark.parametrize(
    ("episode", "expected"),
    [
        ({STATUS: "3", MAIN: "4"}, True),
        ({STATUS: "3", MAIN: "4", "SRH Care Activity": "20"}, False),
        ({STATUS: "3", MAIN: "4", "SRH Care Activity": "21"}, True),
        ({STATUS: "3", MAIN: "3", "SRH Care Activity": "21"}, False),
        ({STATUS: "1", MAIN: "4"}, False),
    ],
)
def test_the_published_example_of_and_not(
    episode: dict[str, str], expected: bool, specification: Specification
) -> None:
    statements = [
        f"{STATUS} = 3 AND {MAIN} = 4 AND NOT SRH Care Activity = 20",
        f"{STATUS} = 3 AND {MAIN} = 3 AND NOT SRH Care Activity = 21",
    ]
    assert fires(statements, episode, specification) == expected


def test_a_statement_that_asks_for_and_forbids_a_code_never_holds(
    specification: Specification,
) -> None:
    statement = ["SHHAPT = T2 AND NOT SHHAPT = T2"]
    assert not fires(statement, {"SHHAPT": "T2"}, specification)
    assert not fires(statement, {"SHHAPT": "T4"}, specification)


def test_whole_numbers_compare_as_numbers(specification: Specification) -> None:
    assert fires(["Age = 16"], {"Age": "016"}, specification)
    assert not fires(["Age = 16"], {"Age": "160"}, specification)


def test_every_condition_has_a_bit_of_its_own(
    configuration: Configuration, specification: Specification
) -> None:
    layout = layout_of(triggers_of(configuration, specification))
    bits = [bit for codes in layout.bits.values() for bit in codes.values()]
    assert len(bits) == len(set(bits)) > WORD
    assert layout.words == max(bits) // WORD + 1
