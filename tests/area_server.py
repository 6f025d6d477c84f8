"""A server that answers as both sources of areas do, with all that goes wrong on the way.

``python -m tests.area_server --seed 1 --troubles 0.2`` prints its port. It knows England and Wales
as they ship with the product, keeps count of what it is asked, and can be told of changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow.compute as pc

from core.engine.areas.compact import read_shipped

TROUBLES = ("500", "503", "429", "429 date", "html", "truncated", "cut off", "slow", "reset")
MOST_ROWS = 300  # of one page, whatever is asked for
SLOW = 0.4
HTML = b"<html><body><h1>We are sorry</h1>Try again later.</body></html>"


class World:
    """The areas, what is wrong with the answers, and what was asked."""

    def __init__(self, seed: int, troubles: float, *, etags: bool) -> None:
        rows = read_shipped(("code", "name", "parent", "ends", "until"))
        rows = rows.filter(pc.and_(pc.is_null(rows["until"]), pc.is_null(rows["ends"])))
        columns = [rows[name].to_pylist() for name in ("code", "name", "parent")]
        self.first = {code: [name, parent] for code, name, parent in zip(*columns, strict=True)}
        self.areas = dict(self.first)
        self.twice: list[list[str]] = []  # code, name, and the second parent
        self.seed, self.troubles, self.etags = seed, troubles, etags
        self.lock = threading.Lock()
        self.always: str | None = None  # what goes wrong at first with every request
        self.attempts = Counter[str]()
        self.log: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self._index()

    def _index(self) -> None:
        self.children = defaultdict[str, list[str]](list)
        for code in sorted(self.areas):
            self.children[self.areas[code][1]].append(code)

    def number(self, *words: str) -> int:
        digest = hashlib.sha256("/".join([str(self.seed), *words]).encode()).digest()
        return int.from_bytes(digest[:4], "big")

    def change(self, changes: dict[str, Any]) -> None:
        with self.lock:
            for code, values in changes.items():
                if code == "twice":
                    self.twice.append(values)
                elif values is None:
                    del self.areas[code]
                else:
                    self.areas[code] = values
            self._index()

    def restore(self) -> None:
        """The areas as they were at first, with nothing wrong and nothing asked."""
        with self.lock:
            self.areas, self.twice, self.always = dict(self.first), [], None
            self._index()
            self.log.clear()
            self.attempts.clear()

    def rows_of(self, parent: str) -> list[tuple[str, str]]:
        """The children in order, some twice; in a wrong answer a grandparent among them."""
        codes = list(self.children[parent])
        codes += [code for code, _, second in self.twice if second == parent]
        if self.troubles and self.number(parent, "twice") % 10 == 0:
            codes += codes[:3]
        if self.cycle(parent):
            codes.append(self.areas[parent][1])
        return [(code, self.areas[code][0]) for code in sorted(codes)]

    def cycle(self, parent: str) -> bool:
        askable_kinds = self.areas[parent][1] or ""
        return (
            bool(self.troubles)
            and askable_kinds[:1] in "EW"
            and self.number(parent, "cycle") % 60 == 0
        )

    def trouble_with(self, address: str) -> str | None:
        """What goes wrong with this request; never more than twice with the same."""
        with self.lock:
            self.attempts[address] += 1
            attempt = self.attempts[address]
        if self.always and self.always.startswith("never "):
            return "500" if self.always[6:] in address else None
        if self.always:
            return self.always if attempt == 1 else None
        if self.number(address, str(attempt)) / 2**32 >= self.troubles or attempt > 2:
            return None
        return TROUBLES[self.number(address, "which", str(attempt)) % len(TROUBLES)]

    def came(self) -> None:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)

    def went(self, parent: str, address: str, outcome: str) -> None:
        with self.lock:
            self.at_once -= 1
            self.log.append({"parent": parent, "address": address, "outcome": outcome})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if place.path == "/told":
            self._tell()
            return
        if not place.path.startswith(("/sparql.json", "/arcgis/")):
            self.world.came()
            self._send(404, b"there is nothing here")
            self.world.went("", self.path, "404")
            return
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        sparql = place.path == "/sparql.json"
        parent = _parent_of(asked["query"] if sparql else asked["where"])
        self.world.came()
        outcome = "cut"
        try:
            outcome = self._answer(asked, parent, sparql=sparql)
        finally:
            self.world.went(parent, self.path, outcome)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/change":
            self.world.change(json.loads(body))
        elif self.path == "/restore":
            self.world.restore()
        elif self.path == "/trouble":
            self.world.always = json.loads(body or b"null")
        elif self.path == "/forget":
            self.world.log.clear()
            self.world.attempts.clear()
            self.world.most_at_once = 0
        self._send(200, b"{}")

    def _tell(self) -> None:
        world = self.world
        cycles = [code for code in world.areas if code[1:3] != "01" and world.cycle(code)]
        told = {"log": world.log, "most_at_once": world.most_at_once, "cycles": sorted(cycles)}
        self._send(200, json.dumps(told).encode())

    def _answer(self, asked: dict[str, str], parent: str, *, sparql: bool) -> str:
        trouble = self.world.trouble_with(self.path)
        document = (
            _sparql(self.world, asked, parent) if sparql else _arcgis(self.world, asked, parent)
        )
        body = json.dumps(document).encode()
        if trouble is not None:
            return self._trouble(trouble, body)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.world.etags and self.headers["If-None-Match"] == etag:
            self._send(304, b"", ETag=etag)
            return "304"
        self._send(200, body, **({"ETag": etag} if self.world.etags else {}))
        return "200"

    def _trouble(self, trouble: str, body: bytes) -> str:
        if trouble in ("500", "503"):
            self._send(int(trouble), b"oh", **({"Retry-After": "0"} if trouble == "503" else {}))
        elif trouble.startswith("429"):
            at = formatdate(time.time() + 1, usegmt=True)
            self._send(429, b"slowly", **{"Retry-After": at if "date" in trouble else "1"})
        elif trouble == "html":
            self._send(200, HTML, "text/html")
        elif trouble == "truncated":
            self._send(200, body[: len(body) // 2])
        elif trouble == "slow":
            time.sleep(SLOW)
            self._send(200, body)
            return "200"
        else:
            if trouble == "cut off":
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        return trouble

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", **headers: str
    ) -> None:
        self.send_response(status)
        if status != 304:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _parent_of(text: str) -> str:
    """The code that a query or a condition asks about."""
    found = re.search(r"id:(\w\d{8})|= '(\w\d{8})'", text)
    return (found[1] or found[2]) if found else "K04000001"


def _sparql(world: World, asked: dict[str, str], parent: str) -> dict[str, Any]:
    limit, offset = (
        int(re.search(rf"{word} (\d+)", asked["query"])[1])  # type: ignore[index]
        for word in ("LIMIT", "OFFSET")
    )
    rows = world.rows_of(parent)[offset : offset + limit]
    names = ("code", "name", "status", "parent")
    bindings = [
        {name: {"type": "literal", "value": value} for name, value in zip(names, row, strict=True)}
        for row in ((code, name, "live", parent) for code, name in rows)
    ]
    return {"head": {"vars": names}, "results": {"bindings": bindings}}


def _arcgis(world: World, asked: dict[str, str], parent: str) -> dict[str, Any]:
    begins = re.search(r"LIKE '(\w+)%'", asked["where"])
    rows = [row for row in world.rows_of(parent) if not begins or row[0].startswith(begins[1])]
    offset, count = int(asked["resultOffset"]), min(int(asked["resultRecordCount"]), MOST_ROWS)
    fields = asked["outFields"].split(",")
    features = [
        {"attributes": {field: _value(field, *row) for field in fields}}
        for row in rows[offset : offset + count]
    ]
    more = offset + count < len(rows)
    return {"features": features, **({"exceededTransferLimit": True} if more else {})}


def _value(field: str, code: str, name: str) -> str | None:
    return code if field.endswith("CD") else name if field.endswith("NM") else None


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--troubles", type=float, default=0.0)
    parser.add_argument("--without-etags", action="store_true")
    given = parser.parse_args()
    Handler.world = World(given.seed, given.troubles, etags=not given.without_etags)
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
