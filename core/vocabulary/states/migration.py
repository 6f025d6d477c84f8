"""The states of a migration, taking over the data of the old service, and of each of its tables."""

from __future__ import annotations

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class MigrationState(State):
    """The state of a migration."""

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


MIGRATION_MACHINE = Machine(
    "migration",
    MigrationProcess,
    "migration_runs",
    stopped=frozenset({MigrationState.INCOMPLETE, MigrationState.FAILED}),
)


class TableState(State):
    """The state of one table of a migration."""

    PLANNED = "planned", "Waits for the tables that it refers to."
    FETCHING = "fetching", "Its rows are read from the old service, page by page."
    IMPORTING = "importing", "Its rows are written here."
    VERIFYING = "verifying", "What is here is compared with the old service."
    COMPLETE = "complete", "Every row is here."
    INCOMPLETE = "complete with errors", "Some rows are in the error queue."


class TableProcess(Process):
    """A table of a migration."""

    _ = States.from_enum(
        TableState,
        initial=TableState.PLANNED,
        final={TableState.COMPLETE, TableState.INCOMPLETE},
    )

    fetch = _.PLANNED.to(_.FETCHING)
    import_rows = _.FETCHING.to(_.IMPORTING)
    verify = _.IMPORTING.to(_.VERIFYING)
    finish = _.VERIFYING.to(_.COMPLETE) | _.VERIFYING.to(_.INCOMPLETE)


TABLE_MACHINE = Machine(
    "migration table",
    TableProcess,
    "migrated_tables",
    settled=frozenset({TableState.COMPLETE, TableState.INCOMPLETE}),
)
