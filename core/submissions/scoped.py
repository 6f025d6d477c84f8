"""Conditions that limit queries about files, months and runs to what a person may see."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from core.access.scope import Scope
from core.database import tables
from core.vocabulary.permissions import Action


def submissions_in(scope: Scope, column: sa.ColumnElement[Any], *actions: Action) -> Any:
    """SQL: the column is the id of a submission of a provider for which one of the actions is
    allowed; without actions, for which the person has any role."""
    if scope.unlimited:
        return sa.true()
    submissions = tables.submissions
    return column.in_(sa.select(submissions.c.id).where(providers_in(scope, *actions)))


def files_in(scope: Scope, column: sa.ColumnElement[Any], *actions: Action) -> Any:
    """As ``submissions_in``, for a column with ids of files."""
    if scope.unlimited:
        return sa.true()
    files = tables.files
    return column.in_(
        sa.select(files.c.id).where(submissions_in(scope, files.c.submission_id, *actions))
    )


def runs_in(scope: Scope, column: sa.ColumnElement[Any], *actions: Action) -> Any:
    """As ``submissions_in``, for a column with ids of runs."""
    if scope.unlimited:
        return sa.true()
    runs = tables.runs
    return column.in_(
        sa.select(runs.c.id).where(submissions_in(scope, runs.c.submission_id, *actions))
    )


def providers_in(scope: Scope, *actions: Action) -> sa.ColumnElement[bool]:
    """SQL: the submission is of a provider for which one of the actions is allowed."""
    allowed: tuple[Action | None, ...] = actions or (None,)
    ids = {number for action in allowed for number in scope.ids(action, "provider")}
    return tables.submissions.c.provider_id.in_(sorted(ids))
