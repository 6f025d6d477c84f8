"""Progress of work in parts: the check of a file, the stages of a run."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.submissions.queries.file_list import FileRow
from core.submissions.stage_progress import COUNTED, StageProgress
from core.vocabulary.states.submissions import STAGES, SUBMISSION_TEXTS, FileState, SubmissionState
from portal import words


def show_check(file: FileRow) -> None:
    """A bar with the parts and records of a file that are checked."""
    if file.state != FileState.CHECKING:
        return
    records = words.count(file.checked_records, "record")
    if file.chunks is None:
        st.caption(f"{words.count(file.checked_chunks, 'part')} checked so far, {records}")
        return
    parts = max(file.chunks, file.checked_chunks, 1)
    share = file.checked_chunks / parts
    st.progress(share, f"{file.checked_chunks} of {words.count(parts, 'part')} checked, {records}")


def show_stages(state: SubmissionState, stages: Mapping[SubmissionState, StageProgress]) -> None:
    """A bar for the whole run, and a line for each stage with its result so far."""
    at = STAGES.index(state) if state in STAGES else -1
    begun = stages.get(state)
    part = begun.done / begun.chunks if begun and begun.chunks else 0.0
    st.progress(min(max(at + part, 0) / len(STAGES), 1.0), text=SUBMISSION_TEXTS[state])
    lines = [_line(stage, index, at, stages.get(stage)) for index, stage in enumerate(STAGES)]
    st.markdown("\n".join(lines))


def _line(stage: SubmissionState, index: int, at: int, progress: StageProgress | None) -> str:
    badge = ":green-badge[done]" if index < at else ":blue-badge[at work]"
    if index > at:
        badge = ":gray-badge[to come]"
    text = f"{SUBMISSION_TEXTS[stage]} {progress_text(stage, progress)}"
    return f"- {badge} **{stage.capitalize()}**: {text}"


def progress_text(stage: SubmissionState, progress: StageProgress | None) -> str:
    """The result of a stage so far, in words; empty before its first part is done."""
    if progress is None or not progress.chunks:
        return ""
    counted = _counted(progress.counted, COUNTED[stage])
    return f"{progress.done} of {words.count(progress.chunks, 'part')}: {counted}."


def _counted(number: int, singular: str) -> str:
    """1 currency left, 3,000 currencies left."""
    noun, _, rest = singular.partition(" ")
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun} {rest}".strip()
