"""The states of a file, of a submission and of its runs (docs/states.md)."""

from __future__ import annotations

from collections.abc import Mapping

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class FileState(State):
    """The state of an uploaded file."""

    RECEIVED = "received", "Uploaded. It is checked as soon as its turn comes."
    CHECKING = "checking", "Being checked against the data set."
    UNCONFIRMED = (
        "unconfirmed",
        "Its headings are matched. Look at what each was taken for; then it is checked.",
    )
    REJECTED = (
        "rejected",
        "Cannot be read as this data set. Mend the file and upload it again.",
    )
    IN_ERROR = "in error", "Has errors. Correct them here, or in the file and upload it again."
    READY = "ready", "Checked: no errors."
    REMOVED = "removed", "Taken out of the submission."


class FileProcess(Process):
    """An uploaded file."""

    _ = States.from_enum(FileState, initial=FileState.RECEIVED, final=FileState.REMOVED)

    check = _.RECEIVED.to(_.CHECKING)
    ask = _.CHECKING.to(_.UNCONFIRMED)
    find_errors = _.CHECKING.to(_.IN_ERROR)
    accept = _.CHECKING.to(_.READY)
    reject = _.CHECKING.to(_.REJECTED)
    check_again = (
        # A check that died resumes where it stopped; a rejected file after a fault was mended.
        _.CHECKING.to(_.CHECKING)
        | _.UNCONFIRMED.to(_.CHECKING)
        | _.REJECTED.to(_.CHECKING)
        | _.IN_ERROR.to(_.CHECKING)
        | _.READY.to(_.CHECKING)
    )
    remove = (
        _.RECEIVED.to(_.REMOVED)
        | _.UNCONFIRMED.to(_.REMOVED)
        | _.REJECTED.to(_.REMOVED)
        | _.IN_ERROR.to(_.REMOVED)
        | _.READY.to(_.REMOVED)
    )


FILE_MACHINE = Machine(
    "file",
    FileProcess,
    "files",
    stopped=frozenset({FileState.REJECTED}),
    settled=frozenset(
        {FileState.UNCONFIRMED, FileState.IN_ERROR, FileState.READY, FileState.REMOVED}
    ),
)
FILE_TEXTS: Mapping[FileState, str] = {state: state.text for state in FileState}


class SubmissionState(State):
    """The state of a provider's month."""

    OPEN = "open", "Files can be added, corrected and removed."
    QUEUED = "queued", "It waits for its turn."
    MERGING = "merging", "Records of the same episode are merged."
    TRIGGERING = "triggering", "Currencies are fired by the codes of each episode."
    COMBINING = "combining", "Invalid combinations of currencies are replaced."
    PRICING = "pricing", "Primary and additional rates are applied."
    ALLOCATING = "allocating", "Each charge is given to the commissioner who pays it."
    MEASURING = "measuring", "Totals are drawn up and reconciled."
    DRAFT = "draft", "Calculated as a draft. Commissioners do not see it."
    SUBMITTED = "submitted", "It is submitted: its charges are released to commissioners."
    RESET_ASKED = (
        "reset asked",
        "It is submitted. Its host commissioner asks for it to be opened again; "
        "an administrator decides.",
    )
    FAILED = "failed", "The calculation stopped. It can be started again."


STAGES = (
    SubmissionState.MERGING,
    SubmissionState.TRIGGERING,
    SubmissionState.COMBINING,
    SubmissionState.PRICING,
    SubmissionState.ALLOCATING,
    SubmissionState.MEASURING,
)
"""The stages of a run, in order."""


HANDED_IN = (SubmissionState.SUBMITTED, SubmissionState.RESET_ASKED)
"""The states in which commissioners see the charges of a month."""


class SubmissionProcess(Process):
    """A provider's month."""

    _ = States.from_enum(SubmissionState, initial=SubmissionState.OPEN)

    ask_for_run = _.OPEN.to(_.QUEUED) | _.DRAFT.to(_.QUEUED) | _.FAILED.to(_.QUEUED)
    begin = _.QUEUED.to(_.MERGING)
    go_on = (
        _.MERGING.to(_.TRIGGERING)
        | _.TRIGGERING.to(_.COMBINING)
        | _.COMBINING.to(_.PRICING)
        | _.PRICING.to(_.ALLOCATING)
        | _.ALLOCATING.to(_.MEASURING)
    )
    # A run that died starts at its first stage again; finished chunks are kept.
    begin_again = (
        _.MERGING.to(_.MERGING)
        | _.TRIGGERING.to(_.MERGING)
        | _.COMBINING.to(_.MERGING)
        | _.PRICING.to(_.MERGING)
        | _.ALLOCATING.to(_.MERGING)
        | _.MEASURING.to(_.MERGING)
    )
    publish = _.MEASURING.to(_.DRAFT) | _.MEASURING.to(_.SUBMITTED)
    stop = (
        _.QUEUED.to(_.FAILED)
        | _.MERGING.to(_.FAILED)
        | _.TRIGGERING.to(_.FAILED)
        | _.COMBINING.to(_.FAILED)
        | _.PRICING.to(_.FAILED)
        | _.ALLOCATING.to(_.FAILED)
        | _.MEASURING.to(_.FAILED)
    )
    change_files = _.DRAFT.to(_.OPEN) | _.FAILED.to(_.OPEN)
    # A month of the old service is imported with the state it had there.
    take_over = _.OPEN.to(_.DRAFT) | _.OPEN.to(_.SUBMITTED)
    ask_for_reset = _.SUBMITTED.to(_.RESET_ASKED)
    grant_reset = _.RESET_ASKED.to(_.OPEN)
    refuse_reset = _.RESET_ASKED.to(_.SUBMITTED)


SUBMISSION_MACHINE = Machine(
    "submission",
    SubmissionProcess,
    "submissions",
    stopped=frozenset({SubmissionState.FAILED}),
    settled=frozenset({SubmissionState.OPEN, SubmissionState.DRAFT, SubmissionState.SUBMITTED}),
)
SUBMISSION_TEXTS: Mapping[SubmissionState, str] = {state: state.text for state in SubmissionState}


class RunState(State):
    """The state of one calculation of a submission."""

    RUNNING = "running", "Waits for its turn, or is being calculated."
    PUBLISHED = "published", "What readers see of its month."
    REPLACED = "replaced", "A newer run took its place, or the files of its month changed."
    FAILED = "failed", "Stopped. What it had done is kept."


class RunProcess(Process):
    """One calculation of a submission."""

    _ = States.from_enum(RunState, initial=RunState.RUNNING, final=RunState.REPLACED)

    publish = _.RUNNING.to(_.PUBLISHED)
    replace = _.PUBLISHED.to(_.REPLACED)
    stop = _.RUNNING.to(_.FAILED)
    retry = _.FAILED.to(_.RUNNING)


RUN_MACHINE = Machine("run", RunProcess, "runs")
