"""A document that people write, such as a tariff that an administrator brings in, costs no more
than its size, and is refused with its line whatever it holds."""

from __future__ import annotations

import pytest

from core.documents import parse_document
from core.user_errors import DocumentError

ROUNDS = range(ord("b"), ord("j"))
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(name)}: &{chr(name)} [{','.join([f'*{chr(name - 1)}'] * 9)}]\n" for name in ROUNDS
)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (BOMB, 7, "more than 1,000,000 values"),
        ("a: " + "[" * 500_000, 1, "100 deep"),  # it ended the process
        ("a:\n - " + "[" * 160 + "]" * 160, 2, "100 deep"),
        ("\n".join(" " * depth + "a:" for depth in range(1500)), 101, "100 deep"),
        ("a: 1\nb: &b [*b]", 2, "100 deep"),
        ("a: &a {b: {c: *a}}", 1, "100 deep"),
        ("a: 1\nb: " + "9" * 100_000, 2, "is no whole number"),
        ("a: 1\nstart: 2017-04-31", 2, "2017-04-31 is no date"),
        ("start: 2017-04-01T99:00:00Z", 1, "is no date"),
        ("a: !!timestamp x", 1, "is no date"),
        ("a: 1\nb: !!float x", 2, "as a decimal number"),
        ("a: !!binary é", 1, "not YAML"),
        ("a: !!python/object/apply:os.system [id]", 1, "could not determine a constructor"),
        ("a: 1\n? [1, 2]\n: 3", 2, "a list or a mapping"),
        ("a: 1\n? {b: 1}\n: 3", 2, "a list or a mapping"),
        ("a: 1\nb: \0", 2, r"the character U\+0000"),
    ],
    ids=lambda part: str(part)[:20],
)
def test_a_hostile_document_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason) as refused:
        parse_document(text, name="tariff.yaml")
    assert str(refused.value).startswith(f"tariff.yaml:{line}: ")
    assert len(str(refused.value)) < 500


def test_what_people_refer_to_is_read() -> None:
    text = "usual: &usual {rate: 1.50}\nfirst: *usual\nsecond:\n  <<: *usual\n  name: x\n"
    data = parse_document(text, name="tariff.yaml").data
    assert data["first"] == data["usual"]
    assert data["second"] == {**data["usual"], "name": "x"}
