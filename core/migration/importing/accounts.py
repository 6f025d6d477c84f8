"""Follow-up work once users, subscriptions and invoices of the old service are imported."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.accounts.histories import read_history, write_periods
from core.accounts.progress import transitions_between
from core.accounts.terms import state_on
from core.accounts.today import today
from core.database import tables
from core.database.moving import change_state
from core.vocabulary.states.accounts import SUBSCRIPTION_MACHINE

TAKEN_OVER = "taken over from the old service"


def update_subscriptions(connection: Connection) -> None:
    """Writes the periods of the subscriptions at work and moves them to today's state."""
    at_work = sa.text("SELECT local_id FROM migration_work w WHERE cardinality(w.problems) = 0")
    _update(connection, list(connection.execute(at_work).scalars()))


def bill_subscriptions(connection: Connection) -> None:
    """Writes lines and payments of the invoices at work, and updates their subscriptions."""
    for statement in _BILLS:
        connection.execute(statement)
    subscriptions = sa.text(
        "SELECT DISTINCT subscription_id FROM migration_work w WHERE cardinality(w.problems) = 0"
    )
    _update(connection, sorted(connection.execute(subscriptions).scalars()))


def end_gone_users(connection: Connection) -> None:
    """Deactivates the users who are gone from the old service."""
    connection.execute(
        sa.text(
            "UPDATE users SET active = false FROM migration_gone g "
            "WHERE users.id = g.local_id AND users.active"
        )
    )


def _update(connection: Connection, subscriptions: list[int]) -> None:
    """Raises no event: nobody needs to know what began or ended years ago."""
    day, table = today(), tables.subscriptions
    for number in subscriptions:
        write_periods(connection, number)
        standing = sa.select(table.c.state).where(table.c.id == number)
        state = connection.execute(standing).scalar_one()
        for step in transitions_between(state, state_on(read_history(connection, number), day)):
            change_state(
                connection,
                table,
                SUBSCRIPTION_MACHINE,
                number,
                step,
                reason=TAKEN_OVER,
            )


_WORK = "FROM migration_work w WHERE cardinality(w.problems) = 0"
_BILLS = (
    sa.text(f"""
        INSERT INTO invoice_lines (invoice_id, position, text, quantity, unit_price, net)
        SELECT w.local_id, 1, 'Subscription, as the old service invoiced it', 1, w.net, w.net
        {_WORK} AND NOT EXISTS (SELECT FROM invoice_lines l WHERE l.invoice_id = w.local_id)
    """),
    sa.text(f"""
        INSERT INTO payments (invoice_id, paid_on, amount, reference)
        SELECT w.local_id, w.paid_on, w.total, 'taken over from the old service'
        {_WORK} AND w.paid_on IS NOT NULL AND w.total > 0
            AND NOT EXISTS (SELECT FROM payments p WHERE p.invoice_id = w.local_id)
    """),
    sa.text(f"""
        UPDATE invoice_counters SET last = numbers.last
        FROM (SELECT max(w.number) AS last {_WORK}) AS numbers
        WHERE bill = 'invoice' AND invoice_counters.last < numbers.last
    """),
)
"""An invoice, its lines and its payments never change: only missing ones are added."""
