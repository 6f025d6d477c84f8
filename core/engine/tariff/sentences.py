"""A configuration in sentences: when a currency is charged, and what happens to a combination."""

from __future__ import annotations

from collections.abc import Sequence

from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Combination, Currency
from core.engine.tariff.statements import Asked, Condition, Statement, parse_statement

IS = "{field} is {code}"
IS_NOT = "{field} is not {code}"
HAS = "{field} has {code}"
HAS_NOT = "{field} has no {code}"
WITH = "{condition} with {together}"
HELD = "{field} {code}"
OR = "; or "
NEVER = "By a combination only."
TOGETHER = "Where {members} come together, {results} in their place."
ALONE = "Where {members} is charged, {results} in its place."
NOTHING = "nothing is charged"
ONE = "{codes} is charged"
SEVERAL = "{codes} are charged"


def currency_sentence(currency: Currency, specification: Specification) -> str:
    """When a currency is charged; a repeating field has a code if any slot holds it.

    Consecutive statements that differ in one code alone are joined.
    """
    statements = [parse_statement(text, specification) for text in currency.triggers]
    sentence = OR.join(_group_sentence(each, specification) for each in _alike(statements))
    return f"{sentence}." if sentence else NEVER


def statement_sentence(statement: Statement, specification: Specification) -> str:
    """The conditions of a statement, each code with what it means."""
    return " and ".join(_condition(each, specification) for each in statement.conditions)


def _alike(statements: Sequence[Statement]) -> list[list[Statement]]:
    groups: list[list[Statement]] = []
    for statement in statements:
        if groups and _differs_at([*groups[-1], statement]) is not None:
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _differs_at(statements: Sequence[Statement]) -> int | None:
    """The only condition in which the statements differ, and by the code alone; else None."""
    first, *rest = (statement.conditions for statement in statements)
    if any(len(conditions) != len(first) for conditions in rest):
        return None
    places = {
        place
        for conditions in rest
        for place, condition in enumerate(conditions)
        if condition != first[place]
    }
    if len(places) != 1:
        return None
    [place] = places
    forms = {
        (each[place].field, each[place].negated, each[place].together) for each in (first, *rest)
    }
    return place if forms == {(first[place].field, False, ())} else None


def _group_sentence(statements: Sequence[Statement], specification: Specification) -> str:
    """One statement, or several that differ in one code: "Activity has A, B or C"."""
    place = _differs_at(statements) if len(statements) > 1 else None
    if place is None:
        return statement_sentence(statements[0], specification)
    first = statements[0].conditions
    codes = [_code(each.conditions[place], specification) for each in statements]
    sentences = [_condition(each, specification) for each in first]
    either = f"{', '.join(codes[:-1])} or {codes[-1]}"
    sentences[place] = _form(first[place], specification).format(
        field=_label(first[place].field, specification), code=either
    )
    return ", and ".join(sentences)


def combination_sentence(combination: Combination) -> str:
    """What a combination does."""
    members = list(dict.fromkeys(combination.members))
    results = NOTHING
    if combination.results:
        form = ONE if len(combination.results) == 1 else SEVERAL
        results = form.format(codes=_all_of(combination.results))
    form = TOGETHER if len(members) > 1 else ALONE
    return form.format(members=_all_of(members), results=results)


def _condition(condition: Condition, specification: Specification) -> str:
    form = _form(condition, specification)
    code = _code(condition, specification)
    sentence = form.format(field=_label(condition.field, specification), code=code)
    if not condition.together:
        return sentence
    parts = [
        HELD.format(field=_label(each.field, specification), code=_code(each, specification))
        for each in condition.together
    ]
    return WITH.format(condition=sentence, together=_all_of(parts))


def _label(field: str, specification: Specification) -> str:
    return specification.by_name[field].label


def _form(condition: Condition, specification: Specification) -> str:
    field = specification.by_name[condition.field]
    several = field.repeat or field.group
    return ((HAS, HAS_NOT) if several else (IS, IS_NOT))[condition.negated]


def _code(asked: Condition | Asked, specification: Specification) -> str:
    label = specification.code_label(specification.by_name[asked.field], asked.code)
    return f"{asked.code} ({label})" if label else asked.code


def _all_of(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
