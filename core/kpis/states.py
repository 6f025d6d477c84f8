"""The states of an indicator."""

from __future__ import annotations

from statemachine.states import States

from core.states import Machine, Process, State


class KpiState(State):
    """Where a version of an indicator stands."""

    DRAFT = "draft", "Being written: tried on months, shown to nobody else."
    PUBLISHED = "published", "Measured for every month that is run."
    RETIRED = "retired", "No longer measured; its figures stay."


class KpiProcess(Process):
    """A version of an indicator."""

    _ = States.from_enum(KpiState, initial=KpiState.DRAFT, final=KpiState.RETIRED)

    publish = _.DRAFT.to(_.PUBLISHED)
    retire = _.DRAFT.to(_.RETIRED) | _.PUBLISHED.to(_.RETIRED)


KPI_MACHINE = Machine("kpi", KpiProcess, "kpis", settled=frozenset({KpiState.RETIRED}))
