"""What an author may see now of the run on which an indicator is tried."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import NotAllowed, Scope
from core.database import tables
from core.kpis.results import visible_runs
from core.vocabulary.permissions import Action


@dataclass(frozen=True)
class TrialRights:
    """``commissioners``: whose charges and episodes are shown; None: those of the whole run.
    ``patients``: whether a figure may rest on a few of them."""

    commissioners: tuple[str, ...] | None = None
    patients: bool = True


def trial_rights(connection: Connection, scope: Scope, run_id: int) -> TrialRights:
    """A provider tries on its own runs; a commissioner on what it is charged for. Raises
    ``NotAllowed`` where the author sees no figures of the run."""
    if scope.unlimited:
        return TrialRights()
    provider, released = _run(connection, scope, run_id)
    if scope.may(Action.SEE_KPIS, provider):
        return TrialRights(None, scope.may(Action.SEE_BACKING_DATA, provider))
    if not released:
        raise NotAllowed(Action.SEE_KPIS)
    shown = scope.codes(Action.SEE_KPIS)
    detailed = set(scope.codes(Action.SEE_BACKING_DATA))
    return TrialRights(tuple(dict.fromkeys(shown)), detailed.issuperset(shown))


def _run(connection: Connection, scope: Scope, run_id: int) -> tuple[int, bool]:
    """The provider of the run, and whether its charges are those of the month."""
    runs, submissions = tables.runs, tables.submissions
    query = (
        sa.select(submissions.c.provider_id, (submissions.c.run_id == runs.c.id).label("released"))
        .join(runs, runs.c.submission_id == submissions.c.id)
        .where(runs.c.id == run_id, visible_runs(scope))
    )
    run = connection.execute(query).first()
    if run is None:
        raise NotAllowed(Action.SEE_KPIS)
    return int(run.provider_id), bool(run.released)
