"""Who may download a stored file now, whatever was allowed when its link was made."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import NotAllowed, Scope
from core.database import tables
from core.reports.requests import ReportRequest, require_report_permission
from core.user_errors import UserError
from core.vocabulary.permissions import Action


def require_download(connection: Connection, scope: Scope, storage_key: str) -> None:
    """Raises ``NotAllowed`` unless the file is the person's own report, of an organisation and a
    kind that the person may see today, or one that their role in the service is for; ``UserError``
    where no such file is kept."""
    files, reports = tables.report_files, tables.reports
    report = connection.execute(
        sa.select(reports.c.parameters, reports.c.requested_by)
        .join(files, files.c.report_id == reports.c.id)
        .where(files.c.storage_key == storage_key)
    ).first()
    if report is not None:
        request = ReportRequest.model_validate(report.parameters)
        if not scope.unlimited and report.requested_by != scope.user_id:
            raise NotAllowed(request.about.action)
        require_report_permission(scope, request)
        return
    runs = tables.migration_runs
    run_report = sa.select(runs.c.id).where(runs.c.report_key == storage_key)
    if scope.may(Action.OPERATE) and connection.execute(run_report).first() is not None:
        return
    raise UserError("This file is not kept any more, or it is not for you: see Reports.")
