"""Progress in words."""

from __future__ import annotations

import pytest

from core.submissions.stage_progress import COUNTED, StageProgress
from core.vocabulary.states.submissions import STAGES, SubmissionState
from portal.components.check_progress import progress_text


@pytest.mark.parametrize(
    ("stage", "progress", "expected"),
    [
        (SubmissionState.MERGING, StageProgress(8, 3, 5412), "3 of 8 parts: 5,412 episodes."),
        (SubmissionState.TRIGGERING, StageProgress(1, 1, 1), "1 of 1 part: 1 currency fired."),
        (SubmissionState.COMBINING, StageProgress(2, 2, 90), "2 of 2 parts: 90 currencies left."),
        (SubmissionState.PRICING, StageProgress(0, 0, 0), ""),  # an attempt with nothing left to do
        (SubmissionState.MEASURING, None, ""),
    ],
)
def test_a_stage_is_told_with_its_counts(
    stage: SubmissionState, progress: StageProgress | None, expected: str
) -> None:
    assert progress_text(stage, progress) == expected


def test_each_stage_that_works_on_parts_counts_something() -> None:
    assert set(COUNTED) == set(STAGES) - {SubmissionState.MEASURING}
