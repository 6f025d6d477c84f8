"""The values that columns of the tables allow, taken from their declarations."""

from core.engine.tariff.configuration import Status
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.heading_look import Look
from core.vocabulary.states.events import FAILURE_MACHINE
from core.vocabulary.states.kpis import KPI_MACHINE
from core.vocabulary.states.reports import REPORT_MACHINE
from core.vocabulary.states.submissions import FILE_MACHINE, RUN_MACHINE, STAGES, SUBMISSION_MACHINE

FILE_STATES = FILE_MACHINE.states
LOOKS = tuple(Look)
SUBMISSION_STATES = SUBMISSION_MACHINE.states
RUNNING_SUBMISSION_STATES = ("queued", *STAGES)
RUN_STATES = RUN_MACHINE.states
RUN_KINDS = ("draft", "final")
REPORT_STATES = REPORT_MACHINE.states
KPI_STATES = KPI_MACHINE.states
FAILURE_STATES = FAILURE_MACHINE.states
FAILURE_KINDS = tuple(FailureKind)
CONFIGURATION_STATES = tuple(Status)
ORGANISATION_KINDS = ("provider", "commissioner")
