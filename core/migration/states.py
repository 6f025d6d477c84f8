"""The states of a migration: taking over the data of an older system."""

from __future__ import annotations

from statemachine.states import States

from core.states import Machine, Process, State


class MigrationState(State):
    """Where a migration stands."""

    PLANNED = "planned", "Starts at its time."
    RUNNING = "running", "Tables are being taken over."
    COMPLETE = "complete", "Every row was taken over."
    INCOMPLETE = (
        "complete with errors",
        "Some rows could not be taken over. They are in the error queue and can be tried again.",
    )
    FAILED = "failed", "Stopped. The tables that were finished are kept."


class MigrationProcess(Process):
    """A migration."""

    _ = States.from_enum(
        MigrationState, initial=MigrationState.PLANNED, final=MigrationState.COMPLETE
    )

    begin = _.PLANNED.to(_.RUNNING)
    finish = _.RUNNING.to(_.COMPLETE) | _.RUNNING.to(_.INCOMPLETE)
    stop = _.PLANNED.to(_.FAILED) | _.RUNNING.to(_.FAILED)
    begin_again = _.RUNNING.to(_.RUNNING) | _.INCOMPLETE.to(_.RUNNING) | _.FAILED.to(_.RUNNING)


MIGRATION_MACHINE = Machine("migration", MigrationProcess)
