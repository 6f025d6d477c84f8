"""The states of a file and of a submission, and which follows which (architecture, processes).

Each state has the text that a user reads beside it. A transition that is not declared is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FileState(StrEnum):
    """Where an uploaded file stands."""

    RECEIVED = "received"
    CHECKING = "checking"
    REJECTED = "rejected"
    IN_ERROR = "in error"
    READY = "ready"
    REMOVED = "removed"


class SubmissionState(StrEnum):
    """Where a provider's month stands."""

    OPEN = "open"
    QUEUED = "queued"
    MERGING = "merging"
    TRIGGERING = "triggering"
    COMBINING = "combining"
    PRICING = "pricing"
    ALLOCATING = "allocating"
    MEASURING = "measuring"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    FAILED = "failed"


class ReportState(StrEnum):
    """Where a report stands."""

    REQUESTED = "requested"
    COLLATING = "collating"
    READY = "ready"
    EXPIRED = "expired"
    FAILED = "failed"


STAGES = (
    SubmissionState.MERGING,
    SubmissionState.TRIGGERING,
    SubmissionState.COMBINING,
    SubmissionState.PRICING,
    SubmissionState.ALLOCATING,
    SubmissionState.MEASURING,
)
"""The stages of a run, in order."""

FILE_TEXTS: Mapping[FileState, str] = {
    FileState.RECEIVED: "Uploaded. It is checked as soon as its turn comes.",
    FileState.CHECKING: "Being checked against the data set.",
    FileState.REJECTED: "Cannot be read as this data set. Mend the file and upload it again.",
    FileState.IN_ERROR: "Has errors. Correct them here, or in the file and upload it again.",
    FileState.READY: "Checked: no errors.",
    FileState.REMOVED: "Taken out of the submission.",
}

SUBMISSION_TEXTS: Mapping[SubmissionState, str] = {
    SubmissionState.OPEN: "Files can be added, corrected and removed.",
    SubmissionState.QUEUED: "It waits for its turn.",
    SubmissionState.MERGING: "Records of the same episode are merged.",
    SubmissionState.TRIGGERING: "Currencies are fired by the codes of each episode.",
    SubmissionState.COMBINING: "Invalid combinations of currencies are replaced.",
    SubmissionState.PRICING: "Primary and additional rates are applied.",
    SubmissionState.ALLOCATING: "Each charge is given to the commissioner who pays it.",
    SubmissionState.MEASURING: "Totals are drawn up and reconciled.",
    SubmissionState.DRAFT: "Calculated as a draft. Commissioners do not see it.",
    SubmissionState.SUBMITTED: "It is submitted: its charges are released to commissioners.",
    SubmissionState.FAILED: "The calculation stopped. It can be started again.",
}

REPORT_TEXTS: Mapping[ReportState, str] = {
    ReportState.REQUESTED: "Waiting for its turn.",
    ReportState.COLLATING: "Being put together.",
    ReportState.READY: "Ready to download.",
    ReportState.EXPIRED: "No longer kept. Ask for it again.",
    ReportState.FAILED: "Could not be made. Ask for it again.",
}


@dataclass(frozen=True)
class Machine:
    """States and the transitions between them."""

    name: str
    follows: Mapping[str, frozenset[str]]

    def sources(self, target: str) -> tuple[str, ...]:
        """The states from which ``target`` may be reached."""
        return tuple(sorted(state for state, targets in self.follows.items() if target in targets))


def _machine(name: str, follows: Mapping[str, set[str]]) -> Machine:
    return Machine(name, {state: frozenset(targets) for state, targets in follows.items()})


_F, _S, _R = FileState, SubmissionState, ReportState

FILE_MACHINE = _machine(
    "file",
    {
        _F.RECEIVED: {_F.CHECKING, _F.REMOVED},
        # checking → checking: a check that died is taken up again where it stopped.
        _F.CHECKING: {_F.CHECKING, _F.REJECTED, _F.IN_ERROR, _F.READY},
        _F.IN_ERROR: {_F.CHECKING, _F.REMOVED},
        _F.READY: {_F.CHECKING, _F.REMOVED},
        _F.REJECTED: {_F.CHECKING, _F.REMOVED},
        _F.REMOVED: set(),
    },
)

# A run that died starts again at its first stage; finished chunks are kept, so little is repeated.
SUBMISSION_MACHINE = _machine(
    "submission",
    {
        _S.OPEN: {_S.QUEUED},
        _S.QUEUED: {_S.MERGING, _S.FAILED},
        _S.MERGING: {_S.TRIGGERING, _S.MERGING, _S.FAILED},
        _S.TRIGGERING: {_S.COMBINING, _S.MERGING, _S.FAILED},
        _S.COMBINING: {_S.PRICING, _S.MERGING, _S.FAILED},
        _S.PRICING: {_S.ALLOCATING, _S.MERGING, _S.FAILED},
        _S.ALLOCATING: {_S.MEASURING, _S.MERGING, _S.FAILED},
        _S.MEASURING: {_S.DRAFT, _S.SUBMITTED, _S.MERGING, _S.FAILED},
        _S.DRAFT: {_S.OPEN, _S.QUEUED},
        _S.SUBMITTED: {_S.OPEN},
        _S.FAILED: {_S.QUEUED, _S.OPEN},
    },
)

REPORT_MACHINE = _machine(
    "report",
    {
        _R.REQUESTED: {_R.COLLATING, _R.FAILED},
        _R.COLLATING: {_R.COLLATING, _R.READY, _R.FAILED},
        _R.READY: {_R.EXPIRED},
        _R.FAILED: {_R.REQUESTED},
        _R.EXPIRED: {_R.REQUESTED},
    },
)
