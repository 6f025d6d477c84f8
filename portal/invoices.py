"""The routes for invoices: one as a workbook, and all of them as csv for administrators."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.access.audit import note
from core.access.people import NotAdmitted, Person
from core.access.scope import NotAllowed
from core.accounts.invoice_csv import invoices_csv
from core.accounts.invoice_list import find_invoice, list_invoices
from core.accounts.invoice_workbook import invoice_workbook
from core.settings import settings
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from portal.database import engine
from portal.sign_in import person_of_request

PATH = "/invoice/{reference}"
EXPORT_PATH = "/invoices.csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def one_invoice(request: Request) -> Response:
    """Responds with an invoice as a workbook, to its subscriber and to administrators."""
    return await _answered(_one, request)


async def all_invoices(request: Request) -> Response:
    """Responds with all invoices as csv for an accounting package."""
    return await _answered(_all, request)


async def _answered(make: Callable[[Request], Response], request: Request) -> Response:
    try:
        return await run_in_threadpool(make, request)
    except (NotAdmitted, NotAllowed) as refused:
        return PlainTextResponse(str(refused), status_code=403)
    except UserError as wrong:
        return PlainTextResponse(str(wrong), status_code=404)


def _one(request: Request) -> Response:
    person = person_of_request(request)
    with engine().begin() as connection:
        invoice = find_invoice(connection, person.scope, request.path_params["reference"])
        note(connection, "downloaded", f"invoice:{invoice.reference}", user_id=person.id)
    return _file(invoice_workbook(invoice, settings()), f"{invoice.reference}.xlsx", XLSX)


def _all(request: Request) -> Response:
    person = person_of_request(request)
    person.scope.require(Action.MANAGE_ACCOUNTS)
    return _file(_csv_for(person).encode(), "invoices.csv", "text/csv; charset=utf-8")


def _csv_for(person: Person) -> str:
    with engine().begin() as connection:
        invoices = list_invoices(connection, person.scope)
        note(connection, "downloaded", "invoices", user_id=person.id)
    return invoices_csv(invoices, account_code=settings().invoice_account_code)


def _file(content: bytes, name: str, kind: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=kind, headers=headers)
