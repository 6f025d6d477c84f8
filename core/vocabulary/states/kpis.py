"""The states of an indicator."""

from __future__ import annotations

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class KpiState(State):
    """The state of a version of an indicator."""

    DRAFT = "draft", "Being written: tried on months, shown to nobody else."
    PUBLISHED = "published", "Measured for every month that is run."
    TAKEN_OVER = "taken over", "Its figures are the old service's; nothing here measures it."
    RETIRED = "retired", "No longer measured; its figures stay."


class KpiProcess(Process):
    """A version of an indicator."""

    _ = States.from_enum(KpiState, initial=KpiState.DRAFT, final=KpiState.RETIRED)

    publish = _.DRAFT.to(_.PUBLISHED)
    take_over = _.DRAFT.to(_.TAKEN_OVER)
    retire = _.DRAFT.to(_.RETIRED) | _.PUBLISHED.to(_.RETIRED) | _.TAKEN_OVER.to(_.RETIRED)


KPI_MACHINE = Machine("kpi", KpiProcess, "kpis", settled=frozenset({KpiState.RETIRED}))

SHOWN = (KpiState.PUBLISHED, KpiState.TAKEN_OVER)
"""The states in which people see the figures of an indicator."""
