"""The states of things, as the tables allow them. What may follow what is said by the processes."""

FILE_STATES = ("received", "checking", "rejected", "in error", "ready", "removed")
SUBMISSION_STATES = (
    "open",
    "queued",
    "merging",
    "triggering",
    "combining",
    "pricing",
    "allocating",
    "measuring",
    "draft",
    "submitted",
    "failed",
)
RUNNING_SUBMISSION_STATES = SUBMISSION_STATES[1:8]
RUN_STATES = ("running", "published", "replaced", "failed")
RUN_KINDS = ("draft", "final")
REPORT_STATES = ("requested", "collating", "ready", "expired", "failed")
CONFIGURATION_STATES = ("draft", "shadow", "live", "archived")
ORGANISATION_KINDS = ("provider", "commissioner")
ROLES = ("provider", "commissioner", "operator", "administrator")
ROLES_OF_ORGANISATIONS = ("provider", "commissioner")
