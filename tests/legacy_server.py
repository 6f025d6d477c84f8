"""The old service: its API over HTTP, with all that goes wrong on the way.

``python -m tests.legacy_server --providers 2 --months 2 --records 300`` prints its port. What it
holds can be changed, and what it is asked is counted.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import threading
import time
from collections import Counter, defaultdict
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.migration.reading.mapping import shipped_mapping
from tests.legacy_world import Row, World, make_world

USER, PASSWORD, HEADER = "grouper", "a password of the tests", ("X-Security-Key", "a key")
NOW = "2018-07-01T00:00:00Z"
TROUBLES = ("500", "503", "html", "cut off", "slow", "reset", "no JSON")
SLOW = 0.9
MONEY = re.compile(r"-?\d{1,8}(\.\d{1,2})?")


def canonical(value: Any) -> str:
    """JSON with keys by length and then by bytes, and a space after each comma and colon."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {canonical(value[k])}"
                               for k in keys) + "}"  # fmt: skip
    if isinstance(value, list):
        return "[" + ", ".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\\u0000", "�")


def checksum(texts: list[str]) -> str:
    return hashlib.md5("".join(texts).encode(), usedforsecurity=False).hexdigest()


class Service:
    """What the old service holds, what is wrong with its answers, and what it was asked."""

    def __init__(self, world: World, seed: int, troubles: float) -> None:
        self.world, self.seed, self.troubles = world, seed, troubles
        self.lock = threading.RLock()
        self.now = NOW
        self.log: list[dict[str, Any]] = []
        self.attempts = Counter[str]()
        self.shut_after: int | None = None  # so many answers until the password has expired
        self.slow = SLOW  # seconds that a slow answer takes
        self.shifts: list[list[Any]] = []  # table, page: then a row of the page before is deleted
        self.sums: dict[int, str] = {}
        for name in shipped_mapping().tables:
            world.rows.setdefault(name, [])

    def rows(self, table: str) -> list[Row]:
        return sorted(self.world.rows[table], key=lambda row: row["id"])

    def sum_of(self, row: Row) -> str:
        key = id(row)
        if key not in self.sums:
            self.sums[key] = checksum([canonical(row)])
        return self.sums[key]

    def page(self, table: str, asked: dict[str, str]) -> dict[str, Any]:
        rows = self.rows(table)
        if "changedSince" in asked:
            rows = [row for row in rows if row["changedAt"] >= asked["changedSince"]]
        if "fromId" in asked:
            first, last = int(asked["fromId"]), int(asked["toId"])
            rows = [row for row in rows if first <= row["id"] <= last]
        page, size = int(asked["page"]), int(asked["pageSize"])
        items = rows[(page - 1) * size : page * size]
        answer = {"table": table, "page": page, "pageSize": size, "total": len(rows),
                  "now": self.now, "items": items}  # fmt: skip
        if [table, page] in self.shifts:
            self.shifts.remove([table, page])
            self.world.rows[table].remove(items[0])
            if all(row["id"] != items[0]["id"] for row in self.world.rows[table]):
                self.world.bad.pop((table, items[0]["id"]), None)
        return answer

    def blocks(self, table: str, size: int) -> dict[str, Any]:
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for row in self.world.rows[table]:
            found[row["id"] // size].append((row["id"], self.sum_of(row)))
        return {"blocks": [
            {"block": block, "rows": len(sums), "checksum": checksum([s for _, s in sorted(sums)])}
            for block, sums in sorted(found.items())
        ]}  # fmt: skip

    def totals(self, table: str) -> dict[str, Any]:
        money = shipped_mapping().tables[table].money
        place = self.places(table)
        found: dict[Any, list[tuple[int, str, Decimal]]] = defaultdict(list)
        for row in self.world.rows[table]:
            text = str(row[money]) if money else "0"
            amount = Decimal(text) if MONEY.fullmatch(text) else Decimal(0)
            found[place(row)].append((row["id"], self.sum_of(row), amount))
        return {"totals": [
            {"provider": where[0], "month": where[1], "rows": len(rows),
             "amount": f"{sum(amount for _, _, amount in rows)}",
             "checksum": checksum([s for _, s, _ in sorted(rows)])}
            for where, rows in found.items()
        ]}  # fmt: skip

    def places(self, table: str) -> Any:
        month = shipped_mapping().tables[table].month
        known = {name: {row["id"]: row for row in self.world.rows[name]}
                 for name in ("submissions", "files", "organisations")}  # fmt: skip

        def place(row: Row) -> tuple[str | None, str | None]:
            if month is None:
                return None, None
            submission: Row | None = row
            if month == "fileId":
                file = known["files"].get(row["fileId"])
                submission = known["submissions"].get(file["submissionId"]) if file else None
            elif month == "submissionId":
                submission = known["submissions"].get(row["submissionId"])
            if submission is None:
                return None, None
            provider = known["organisations"].get(submission["organisationId"])
            return provider and provider["code"], submission["month"]

        return place

    def change(self, changes: list[list[Any]]) -> None:
        """Table, id, and the new values; None: the row is deleted. An id that is new is added."""
        for table, number, values in changes:
            rows = self.world.rows[table]
            if values is None:
                rows[:] = [row for row in rows if row["id"] != number]
                continue
            fresh = {"changedAt": self.now, **values}
            here = [row for row in rows if row["id"] == number]
            for row in here:
                rows[rows.index(row)] = {**row, **fresh}
            if not here:
                rows.append({"id": number, **fresh})
        self.sums.clear()

    def trouble_with(self, address: str) -> str | None:
        """What goes wrong with this request; never more than twice with the same."""
        self.attempts[address] += 1
        attempt = self.attempts[address]
        digest = hashlib.sha256(f"{self.seed}/{attempt}/{address}".encode()).digest()
        if digest[0] / 256 >= self.troubles or attempt > 2:
            return None
        return TROUBLES[digest[1] % len(TROUBLES)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for 40 ms
    service: Service

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        service = self.service
        with service.lock:
            if place.path == "/told":
                told = {"log": service.log, "bad": [[*key, code] for key, code in
                                                    service.world.bad.items()],
                        "counts": {name: len(rows) for name, rows in service.world.rows.items()},
                        "altered": service.world.altered}  # fmt: skip
                self._send(200, json.dumps(told).encode())
                return
            if not self._let_in():
                service.log.append({"path": self.path, "outcome": "401"})
                self._send(401, b"who are you?")
                return
            trouble = service.trouble_with(self.path)
            answer = self._answer(place.path, place.query)
            service.log.append({"path": self.path, "outcome": trouble or "200",
                                "rows": len(answer.get("items", []))})  # fmt: skip
            body = json.dumps(answer, ensure_ascii=False).encode()
        self._say(body, trouble)

    def _let_in(self) -> bool:
        if self.service.shut_after is not None:
            self.service.shut_after -= 1
            if self.service.shut_after < 0:
                return False
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        known = self.headers["Authorization"] == f"Basic {wanted}"
        return known and self.headers[HEADER[0]] == HEADER[1]

    def _answer(self, path: str, query: str) -> dict[str, Any]:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        _, _, table, *more = path.split("/")
        if not more:
            return self.service.page(table, asked)
        if more == ["blocks"]:
            return self.service.blocks(table, int(asked["size"]))
        return self.service.totals(table)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        with self.service.lock:
            if self.path == "/change":
                self.service.change(body)
            elif self.path == "/forget":
                self.service.log.clear()
                self.service.attempts.clear()
            elif self.path == "/set":
                for name, value in body.items():
                    setattr(self.service, name, value)
        self._send(200, b"{}")

    def _say(self, body: bytes, trouble: str | None) -> None:
        if trouble in ("500", "503"):
            self._send(int(trouble), b"oh", **({"Retry-After": "0"} if trouble == "503" else {}))
        elif trouble == "html":
            self._send(200, b"<html>We are sorry</html>")
        elif trouble == "no JSON":  # but what some take for it
            self._send(200, body[:-1] + b', "rest": NaN}')
        elif trouble == "slow":
            time.sleep(self.service.slow)
            self._send(200, body)
        elif trouble is not None:
            if trouble == "cut off":
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self._send(200, body)

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # who asked has not waited


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked was killed, or has not waited; anything else shows in what it then lacks."""


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("providers", "months", "records"):
        parser.add_argument(f"--{name}", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--troubles", type=float, default=0.0)
    parser.add_argument("--flawless", action="store_true")
    given = parser.parse_args()
    world = make_world(
        providers=given.providers,
        months=given.months,
        records=given.records,
        seed=given.seed,
        troubles=not given.flawless,
    )
    Handler.service = Service(world, given.seed, given.troubles)
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
