"""The host authority of each clinic: as the list of ``--clinics`` names it, and as of today.

An authority that ended is resolved as a resident's is (docs/decisions/0014): the one of today
counts, unless the configuration lists the one of then and not the one of today.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.engine.areas.kinds import AUTHORITIES, LSOA, is_code, kind_of
from core.engine.areas.lists import read_list, refuse
from core.engine.areas.register import AreaRegister
from core.engine.areas.responsible import HOST_FOR_WHICH, responsible_authority, step_words
from core.engine.columns.as_read import text_as_read
from core.user_errors import UserError


@dataclass(frozen=True)
class Hosts:
    """The authority of each clinic, and notes about authorities that ended."""

    authorities: dict[str, str]
    notes: dict[str, str]  # by clinic


def read_hosts(
    path: Path, register: AreaRegister, commissioners: Container[str] = ()
) -> dict[str, str]:
    """Clinic id to the code of its host, from ``clinic_id,commissioner``.

    Ids are compared as people read them, codes in any case; ``commissioners`` are those that the
    configuration lists. Raises ``UserError`` with file and row where an authority is unknown, or
    has ended and has several successors.
    """
    rows, columns = read_list(path, ("clinic_id", "commissioner"))
    hosts: dict[str, str] = {}
    for row, clinic, text in zip(rows, *columns.values(), strict=True):
        if not clinic or not text:
            refuse(path, row, f"{'commissioner' if clinic else 'clinic_id'} is blank; fill it in")
        try:
            host = authority_code(text, register)
            resolved_host(host, register, commissioners)
        except UserError as unfit:
            refuse(path, row, str(unfit))
        if hosts.setdefault(clinic, host) != host:
            refuse(path, row, f"the clinic {clinic} has two hosts, {hosts[clinic]} and {host}")
    if not hosts:
        refuse(path, None, "lists no clinic; add a line for each clinic of the provider")
    return hosts


def authority_code(text: str, register: AreaRegister) -> str:
    """The code of an authority that is or was, written in any case; raises ``UserError``."""
    readable = text_as_read(text)
    code = register.spelling(readable)
    if code is not None:
        return code
    upper = readable.upper()
    if not is_code(upper):
        raise UserError(
            f"{readable or 'a blank'} is no authority; write the code of one, as E09000012"
        )
    kind = kind_of(upper)
    if kind is not None and kind not in AUTHORITIES:
        raise UserError(f"{upper} is the code of {_with_article(kind)}, which is no authority")
    raise UserError(f"no authority has or had the code {upper}; look it up with `grouper areas`")


def resolved_hosts(
    hosts: Mapping[str, str], register: AreaRegister, commissioners: Container[str]
) -> Hosts:
    """The hosts that count today; raises ``UserError`` where several would.

    ``commissioners`` are those that the configuration lists.
    """
    authorities: dict[str, str] = {}
    notes: dict[str, str] = {}
    for clinic, code in hosts.items():
        authorities[clinic] = resolved_host(code, register, commissioners)
        if authorities[clinic] != code:
            notes[clinic] = _note(code, authorities[clinic], register)
    return Hosts(authorities, notes)


def resolved_host(code: str, register: AreaRegister, commissioners: Container[str]) -> str:
    """The authority that counts for one that may have ended, or lie in a county that pays.

    Raises ``UserError`` where several would count.
    """
    after = register.standing_for(code)
    today = list(
        dict.fromkeys(
            responsible_authority(candidate, register, commissioners) for candidate in after
        )
    )
    then = responsible_authority(code, register, commissioners)
    gone = code not in after
    if (
        gone
        and then in commissioners
        and not any(candidate in commissioners for candidate in today)
    ):
        return then
    if len(today) == 1:
        return today[0]
    ended = register.authority(code)
    when = f" on {ended.ends}" if ended is not None and ended.ends else ""
    if not after:
        raise UserError(f"{register.named(code)} ended{when}; write the authority of today")
    names = ", ".join(register.named(candidate) for candidate in after)
    raise UserError(
        f"{register.named(code)} ended{when} and several stand in its place: {names}; write one"
    )


def _note(code: str, authority: str, register: AreaRegister) -> str:
    """Why a clinic's host is another than the one that was named."""
    authority_then = register.authority(code)
    if authority_then is None or not authority_then.ends:
        return step_words(HOST_FOR_WHICH, code, authority, register)
    return (
        f"The host {register.named(code)} ended on {authority_then.ends}; "
        f"{register.named(authority)} stands in its place today."
    )


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind == LSOA else f"a {kind}"
