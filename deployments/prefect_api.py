"""The few calls on Prefect's REST API that the relay needs.

Plain HTTP rather than Prefect's client: it starts at once, and its errors are clear.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2

from core.settings import Settings
from deployments.prefect_login import prefect_client
from deployments.queues import Place

WAITING = "SCHEDULED"
STARTING = "PENDING"
AT_WORK = ("RUNNING", "CANCELLING")
CANCELLED = "CANCELLED"
FAILED = "FAILED"
STOPPED = ("CRASHED", FAILED)
AT_ONCE = 200
"""The limit of rows in one answer of the server."""


class ServerAwayError(Exception):
    """Prefect's server cannot be reached, or is not able to answer now: try again later."""


class RefusedError(Exception):
    """Prefect's server understood and refused: trying again alone will not help."""


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A flow run as the sweep needs it."""

    id: UUID
    name: str
    state: str
    since: datetime
    due: datetime
    queue: str | None
    tags: tuple[str, ...]
    key: str

    @property
    def event_id(self) -> UUID | None:
        """The event that it was created for; none where it was planned."""
        try:
            return UUID(self.key.partition(":")[0])
        except ValueError:
            return None

    def age(self) -> float:
        """Seconds in its present state."""
        return (datetime.now(UTC) - self.since).total_seconds()


class PrefectApi(AbstractContextManager["PrefectApi"]):
    """Calls on the API of the settings, signed in."""

    def __init__(self, settings: Settings, seconds: float = 30) -> None:
        self._http = prefect_client(settings, seconds)
        self._deployments: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        self._http.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_run(
        self,
        deployment: str,
        *,
        parameters: dict[str, Any],
        name: str,
        key: str,
        tags: list[str],
    ) -> UUID:
        """Creates a run of ``flow/deployment``; a second call with the same ``key`` returns the
        first run."""
        body = {
            "parameters": parameters,
            "name": name,
            "idempotency_key": key,
            "tags": tags,
            "state": {"type": WAITING},
        }
        try:
            made = self._call("POST", f"/deployments/{self._id(deployment)}/create_flow_run", body)
        except RefusedError:
            # The deployment may have been made anew since its id was learnt.
            self._deployments.pop(deployment, None)
            made = self._call("POST", f"/deployments/{self._id(deployment)}/create_flow_run", body)
        return UUID(made["id"])

    def runs_with_keys(self, keys: list[str]) -> list[FlowRun]:
        """The runs that were created with one of the keys, newest first."""
        query = {
            "flow_runs": {"idempotency_key": {"any_": keys}},
            "sort": "EXPECTED_START_TIME_DESC",
        }
        return [_flow_run(answer) for answer in self._call("POST", "/flow_runs/filter", query)]

    def crash(self, run: UUID, message: str) -> None:
        """Marks a run as crashed, which releases its slot of the queue."""
        state = {"type": "CRASHED", "name": "Crashed", "message": message}
        self._call("POST", f"/flow_runs/{run}/set_state", {"state": state, "force": True})

    def emit(self, events: list[dict[str, Any]]) -> None:
        """Shows events on Prefect's feed, each once, even if they are sent again."""
        self._call("POST", "/events", events)

    def place_of(self, deployment: str) -> Place:
        """The pool and the queue on which runs of a deployment wait."""
        details = self._deployment(deployment)
        return Place(str(details["work_pool_name"]), str(details["work_queue_name"]))

    def open_runs(self, pool: str, queue: str | None = None) -> list[FlowRun]:
        """The runs that wait, start or are at work, oldest first, 200 at most; not planned ones."""
        query: dict[str, Any] = {
            "work_pools": {"name": {"any_": [pool]}},
            "flow_runs": {
                "state": {"type": {"any_": [WAITING, STARTING, *AT_WORK]}},
                "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
            },
            "sort": "EXPECTED_START_TIME_ASC",
        }
        if queue is not None:
            query["work_pool_queues"] = {"name": {"any_": [queue]}}
        return [_flow_run(answer) for answer in self._call("POST", "/flow_runs/filter", query)]

    def runs_at_work(self, pool: str) -> list[FlowRun]:
        """The runs that start or are at work."""
        query = {
            "work_pools": {"name": {"any_": [pool]}},
            "flow_runs": {"state": {"type": {"any_": [STARTING, *AT_WORK]}}},
        }
        return [_flow_run(answer) for answer in self._call("POST", "/flow_runs/filter", query)]

    def stopped_runs(self, pool: str, *, since: datetime) -> list[FlowRun]:
        """The runs that crashed or failed, the last to stop first, 200 at most."""
        query = {
            "work_pools": {"name": {"any_": [pool]}},
            "flow_runs": {
                "state": {"type": {"any_": list(STOPPED)}},
                "end_time": {"after_": since.isoformat()},
            },
            "sort": "END_TIME_DESC",
        }
        return [_flow_run(answer) for answer in self._call("POST", "/flow_runs/filter", query)]

    def which_exist(self, runs: list[UUID]) -> set[UUID]:
        """The ids of the runs that exist in Prefect."""
        existing: set[UUID] = set()
        for first in range(0, len(runs), AT_ONCE):
            numbers = [str(run) for run in runs[first : first + AT_ONCE]]
            query = {"flow_runs": {"id": {"any_": numbers}}}
            answer = self._call("POST", "/flow_runs/filter", query)
            existing.update(UUID(each["id"]) for each in answer)
        return existing

    def work_queues(self, pool: str) -> list[dict[str, Any]]:
        """The queues of a pool, as Prefect's API returns them."""
        queues: list[dict[str, Any]] = self._call("POST", f"/work_pools/{pool}/queues/filter", {})
        return queues

    def pause_queue(self, place: Place, *, paused: bool) -> None:
        """Pauses or resumes a queue."""
        path = f"/work_pools/{place.pool}/queues/{place.queue}"
        self._call("PATCH", path, {"is_paused": paused})

    def _id(self, deployment: str) -> str:
        return str(self._deployment(deployment)["id"])

    def _deployment(self, deployment: str) -> dict[str, Any]:
        if deployment not in self._deployments:
            try:
                details = self._call("GET", f"/deployments/name/{deployment}")
            except RefusedError as error:  # at a first start, events may be there before it is
                raise ServerAwayError(
                    f"the deployment {deployment} is not registered: run `grouper deploy`"
                ) from error
            self._deployments[deployment] = details
        return self._deployments[deployment]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx2.TransportError as error:
            raise ServerAwayError(f"{self._http.base_url}: {error}") from error
        if answer.is_server_error or answer.status_code in (
            httpx2.codes.TOO_MANY_REQUESTS,
            httpx2.codes.REQUEST_TIMEOUT,
        ):
            raise ServerAwayError(f"{path}: {answer.status_code} {answer.text[:500]}")
        if answer.is_error:
            raise RefusedError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None


def _flow_run(answer: dict[str, Any]) -> FlowRun:
    state = answer["state"] or {"type": WAITING, "timestamp": answer["created"]}
    return FlowRun(
        id=UUID(answer["id"]),
        name=answer["name"],
        state=state["type"],
        since=datetime.fromisoformat(state["timestamp"]),
        due=datetime.fromisoformat(answer["expected_start_time"] or answer["created"]),
        queue=answer["work_queue_name"],
        tags=tuple(answer["tags"]),
        key=answer["idempotency_key"] or "",
    )
