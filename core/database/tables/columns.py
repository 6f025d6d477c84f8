"""Constructors of columns: times, counts, money and states, with names of constraints."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Text,
    func,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ex": "ex_%(table_name)s_%(constraint_name)s",
    }
)


def number(name: str = "id", kind: type[Integer] = Integer) -> Column[int]:
    return Column(name, kind, Identity(always=False), primary_key=True)


def now(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def moment(name: str, comment: str | None = None) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), comment=comment)


def count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def pence(name: str = "amount_pence") -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def words(name: str, *, required: bool = True) -> Column[str]:
    return Column(name, Text, nullable=not required)


def user(name: str) -> Column[int]:
    return Column(name, Integer, ForeignKey("users.id"))


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
