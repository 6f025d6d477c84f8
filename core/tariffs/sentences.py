"""A configuration in sentences: when a currency is charged, and what happens to a combination."""

from __future__ import annotations

from collections.abc import Sequence

from core.datasets.specification import Specification
from core.tariffs.configuration import Combination, Currency
from core.tariffs.statements import Condition, Statement, parse_statement

IS = "{field} is {code}"
IS_NOT = "{field} is not {code}"
HAS = "{field} has {code}"
HAS_NOT = "{field} has no {code}"
OR = "; or "
NEVER = "By a combination only."
TOGETHER = "Where {members} come together, {results} in their place."
ALONE = "Where {members} is charged, {results} in its place."
NOTHING = "nothing is charged"
ONE = "{codes} is charged"
SEVERAL = "{codes} are charged"


def currency_sentence(currency: Currency, specification: Specification) -> str:
    """When a currency is charged; a repeating field has a code if any slot holds it."""
    statements = [parse_statement(text, specification) for text in currency.triggers]
    told = OR.join(statement_sentence(each, specification) for each in statements)
    return f"{told}." if told else NEVER


def statement_sentence(statement: Statement, specification: Specification) -> str:
    """The conditions of a statement, each code with what it means."""
    return " and ".join(_condition(each, specification) for each in statement.conditions)


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
    field = specification.by_name[condition.field]
    forms = (HAS, HAS_NOT) if field.repeat else (IS, IS_NOT)
    label = specification.codes_of(field).get(condition.code)
    code = f"{condition.code} ({label})" if label else condition.code
    return forms[condition.negated].format(field=condition.field, code=code)


def _all_of(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
