"""The route for empty files of a version of a data set, for anybody who is signed in.

Of a version with layouts a file has one of them: ``?layout=NAME``, or the first.
"""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.access.people import NotAdmitted
from core.configurations.datasets import get_version
from core.engine.dataset.templates import csv_template, workbook_template
from core.user_errors import UserError
from portal.database import engine
from portal.sign_in import person_of_request

PATH = "/template/{version:int}/{kind}"
_MAKERS = {
    "csv": (csv_template, "text/csv; charset=utf-8"),
    "xlsx": (
        workbook_template,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}


async def template(request: Request) -> Response:
    """Responds with the file, or with the reason of a refusal."""
    try:
        return await run_in_threadpool(_make, request)
    except NotAdmitted as refused:
        return PlainTextResponse(str(refused), status_code=403)
    except UserError as wrong:
        return PlainTextResponse(str(wrong), status_code=404)


def _make(request: Request) -> Response:
    person_of_request(request)
    kind = request.path_params["kind"]
    if kind not in _MAKERS:
        raise UserError(f"There is no template of the kind {kind}.")
    make, media_type = _MAKERS[kind]
    with engine().connect() as connection:
        specification = get_version(connection, request.path_params["version"]).specification
    layout = request.query_params.get("layout")
    if layout is not None and layout not in specification.by_layout:
        raise UserError(f"There is no layout {layout} in {specification.title}.")
    name = "-".join(filter(None, (specification.dataset, _slug(layout), f"template.{kind}")))
    return Response(
        make(specification, layout),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _slug(layout: str | None) -> str:
    """The name of a layout as a file's name may hold it."""
    return re.sub(r"[^A-Za-z0-9]+", "-", layout or "").strip("-")
