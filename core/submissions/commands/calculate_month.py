"""Carries a month through its stages, from records to published charges.

A chunk is a range of buckets of episodes: it is read once by the first stage and written once by
the last. Flows, tests and commands run these lines; they differ in how they run the chunks of a
stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from core.areas.register_store import register_in_use
from core.engine.calculation.stages import STAGES, ChunkValues, Terms
from core.submissions.commands.run_chunks import read_records, store_charges
from core.submissions.commands.run_inputs import RunInputs, load_run
from core.submissions.commands.runs import RunTotals, begin_run, enter_stage, publish
from core.vocabulary.states.submissions import RunState, SubmissionState

CHUNKS_AT_ONCE = 100
"""The number of chunks that pass the stages together, so that memory stays bounded."""


@dataclass(eq=False)
class RunContext:
    """What the chunks of one run share: the terms, and the intermediate values of each chunk.

    Values stay in the context and whoever runs chunks passes their numbers: a scheduler would keep
    every value that goes through its hands until the run ends.
    """

    engine: Engine
    run: RunInputs
    terms: Terms
    to_do: tuple[int, ...]  # the chunks that no earlier attempt finished
    values: dict[int, ChunkValues] = field(default_factory=dict)


RunStage = Callable[[RunContext, SubmissionState, Sequence[int]], None]
"""Runs ``carry_out_stage`` for each of the chunks, in any order, and ends when all are done."""


def calculate_month(
    engine: Engine, run_id: int, *, flow_run: str | None = None, run_stage: RunStage
) -> RunTotals | None:
    """Carries out one run of a submission; returns None where it has ended already.

    A run that stopped is resumed: finished chunks are not calculated again.
    """
    context = begin_calculation(engine, run_id, flow_run=flow_run)
    if context is None:
        return None
    calculate_charges(context, run_stage)
    with engine.begin() as connection:
        return publish(connection, context.run)


def begin_calculation(
    engine: Engine, run_id: int, *, flow_run: str | None = None
) -> RunContext | None:
    """Loads the inputs of the run, with one register of areas for all its chunks."""
    with engine.begin() as connection:
        run = load_run(connection, run_id)
        if run.state != RunState.RUNNING:
            return None
        done = begin_run(connection, run, flow_run=flow_run)
        register = register_in_use(connection).as_of(run.submission.month)
    to_do = tuple(chunk for chunk in range(run.chunks) if chunk not in done)
    return RunContext(engine, run, run.terms(register), to_do)


def calculate_charges(context: RunContext, run_stage: RunStage) -> None:
    """Carries out all stages before publication; afterwards every charge is written."""
    for chunks in _portions(context.to_do):
        for stage in map(SubmissionState, STAGES):
            _enter(context, stage)
            run_stage(context, stage, chunks)
    _enter(context, SubmissionState.MEASURING)


def carry_out_stage(context: RunContext, stage: SubmissionState, chunk: int) -> int:
    """Carries out one stage on a chunk; returns the count of its results (see ``COUNTED``)."""
    run = context.run
    if stage == SubmissionState.MERGING:
        with context.engine.connect() as connection:
            context.values[chunk] = ChunkValues(read_records(connection, run, chunk))
    values = context.values[chunk]
    counted = STAGES[stage](values, context.terms)
    if stage == SubmissionState.ALLOCATING:
        with context.engine.begin() as connection:
            store_charges(
                connection,
                run,
                chunk,
                values.merged,
                values.charges,
                hosts=context.terms.placed.authorities,
            )
        del context.values[chunk]
    return counted


def one_by_one(context: RunContext, stage: SubmissionState, chunks: Sequence[int]) -> None:
    """Runs the chunks in this thread, in order."""
    for chunk in chunks:
        carry_out_stage(context, stage, chunk)


def _portions(chunks: Sequence[int]) -> Iterator[Sequence[int]]:
    """At least one portion: a run with nothing left to do still passes through its stages."""
    for start in range(0, max(len(chunks), 1), CHUNKS_AT_ONCE):
        yield chunks[start : start + CHUNKS_AT_ONCE]


def _enter(context: RunContext, stage: SubmissionState) -> None:
    with context.engine.begin() as connection:
        enter_stage(connection, context.run, stage)
