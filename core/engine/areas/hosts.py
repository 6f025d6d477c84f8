"""Which district hosts each clinic: the list that ``--clinics`` gives."""

from __future__ import annotations

from pathlib import Path

from core.engine.areas.lists import read_list, refuse


def read_hosts(path: Path) -> dict[str, str]:
    """Clinic id to the district that hosts it, from ``clinic_id,commissioner``.

    Ids are compared exactly, after trimming. Raises ``UserError`` with file and row.
    """
    rows, columns = read_list(path, ("clinic_id", "commissioner"))
    hosts: dict[str, str] = {}
    for row, clinic, host in zip(rows, *columns.values(), strict=True):
        if not clinic or not host:
            refuse(path, row, f"{'commissioner' if clinic else 'clinic_id'} is blank; fill it in")
        if hosts.setdefault(clinic, host) != host:
            refuse(path, row, f"the clinic {clinic} has two hosts, {hosts[clinic]} and {host}")
    if not hosts:
        refuse(path, None, "lists no clinic; add a line for each clinic of the provider")
    return hosts
