"""The transitions of a table as a trigger of the database.

``python -m core.database.state_triggers`` prints the statements, for the next migration: a trigger
carries the transitions as its arguments, so a new declaration is a new trigger.
"""

from __future__ import annotations

import sys

from core.vocabulary.process import Machine
from core.vocabulary.state_machines import MACHINES

FUNCTION = """\
-- The first argument is the state of a new row; the others are transitions, "from > to".
CREATE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state <> TG_ARGV[0] THEN
        RAISE EXCEPTION 'a new row of % must be %, not %', TG_TABLE_NAME, TG_ARGV[0], NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND NOT (OLD.state || ' > ' || NEW.state) = ANY (TG_ARGV) THEN
        RAISE EXCEPTION 'a row of % cannot go from % to %', TG_TABLE_NAME, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def trigger(machine: Machine) -> str:
    """The statement that makes the trigger of the machine's table."""
    pairs = [
        f"{left} > {entered}"
        for left, targets in machine.follows.items()
        for entered in machine.states
        if entered in targets
    ]
    arguments = ",\n        ".join(f"'{each}'" for each in (machine.first, *pairs))
    return (
        f"CREATE TRIGGER transitions BEFORE INSERT OR UPDATE OF state ON {machine.table}\n"
        f"    FOR EACH ROW EXECUTE FUNCTION refuse_transition(\n        {arguments});\n"
    )


def statements() -> str:
    """The function and the trigger of every machine with a table."""
    return "\n".join([FUNCTION, *(trigger(machine) for machine in MACHINES if machine.table)])


if __name__ == "__main__":
    sys.stdout.write(statements())
