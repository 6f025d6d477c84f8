"""What passes by itself, and what the error queue says of the rest: never a value of a record."""

from __future__ import annotations

import errno

import psycopg
import pytest
import sqlalchemy.exc

from core.support.faults import fault_of, is_temporary
from core.user_errors import UserError

PATIENT = "9434765919"


def caught(error: Exception, origin: Exception | None = None) -> Exception:
    """The error as it arrives, with the lines it passed through."""
    try:
        try:
            if origin is not None:
                raise origin
        finally:
            raise error
    except Exception as arrived:
        return arrived


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("server closed the connection"),
        sqlalchemy.exc.OperationalError("SELECT 1", {}, psycopg.OperationalError()),
        ConnectionResetError(),
        TimeoutError(),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_service_that_is_away_or_full_passes(error: Exception) -> None:
    assert is_temporary(error)
    assert "did not answer" in fault_of(error).reason


@pytest.mark.parametrize(
    "error",
    [
        KeyError(PATIENT),
        ValueError(PATIENT),
        psycopg.DataError(f'invalid input syntax: "{PATIENT}"'),
        FileNotFoundError(errno.ENOENT, "No such file", PATIENT),
        UserError("The clinic has no host."),
    ],
)
def test_a_bug_or_bad_input_does_not_pass(error: Exception) -> None:
    assert not is_temporary(error)


@pytest.mark.parametrize("error", [KeyError(PATIENT), ValueError(PATIENT)])
def test_no_value_gets_into_the_error_queue(error: Exception) -> None:
    origin = psycopg.DataError(f'invalid input syntax for type date: "{PATIENT}"')
    cause = fault_of(caught(error, origin))
    assert PATIENT not in cause.reason + cause.detail
    assert type(error).__name__ in cause.reason
    assert "from\nDataError" in cause.detail


def test_the_detail_leads_to_the_line() -> None:
    detail = fault_of(caught(ZeroDivisionError())).detail
    assert "tests/unit/support/test_faults.py:" in detail
    assert " in caught" in detail


def test_what_a_person_can_mend_is_told_in_its_own_words() -> None:
    assert fault_of(UserError("The clinic has no host.")).reason == "The clinic has no host."


def test_a_full_disk_is_told_by_its_code() -> None:
    assert "ENOSPC" in fault_of(OSError(errno.ENOSPC, "No space left on device")).detail


def test_too_little_memory_is_said_plainly() -> None:
    assert fault_of(MemoryError()).reason == "There was not enough memory"
