"""Parameters that the commands for accounts share: dates and money."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from core.accounts.today import today


class Day(click.ParamType[dt.date]):
    """A day such as 2026-11-24, or ``today``."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        if isinstance(value, dt.date):
            return value
        text = str(value).strip()
        try:
            return today() if text == "today" else dt.date.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no day: write 2026-11-24", param, ctx)


class Money(click.ParamType[Decimal]):
    """Pounds and pence such as 680 or 680.00."""

    name = "pounds"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        if isinstance(value, Decimal):
            return value
        try:
            amount = Decimal(str(value).strip().lstrip("£").replace(",", ""))
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")):
            self.fail(f"{value!r} is no sum of money: write 680 or 680.00", param, ctx)
        return amount


def on_day(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option ``--on``."""
    return click.option("--on", type=Day(), default="today", help="The day; today by default.")(
        function
    )


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
