"""Who may ask for a submitted month to be opened again, and who decides."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.accounts.people import Membership, Person
from core.database import tables
from core.submissions.months import SubmissionRow


def asks_for_resets(person: Person) -> list[Membership]:
    """The commissioners for which the person may ask."""
    return list(person.organisations("commissioner"))


def decides_resets(person: Person) -> bool:
    """Whether the person grants and refuses."""
    return any(each.role == "administrator" for each in person.memberships)


def hosts_of(connection: Connection, submission: SubmissionRow) -> dict[str, int]:
    """The commissioners that host a clinic with charges in the submitted run: code and
    organisation (architecture, processes as states: the host commissioner asks)."""
    clinics, charges, organisations = tables.clinics, tables.charges, tables.organisations
    charged = (
        sa.select(charges.c.run_id)
        .where(charges.c.run_id == submission.run_id, charges.c.clinic_id == clinics.c.clinic_id)
        .exists()
    )
    query = (
        sa.select(organisations.c.code, organisations.c.id)
        .join(clinics, clinics.c.commissioner == organisations.c.code)
        .where(
            organisations.c.kind == "commissioner",
            clinics.c.provider_id == submission.provider_id,
            charged,
        )
    )
    return {row.code: row.id for row in connection.execute(query)}
