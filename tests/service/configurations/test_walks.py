"""Whatever is imported between, a month comes to what ``grouper price`` says by its own rules."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.database import tables
from core.documents import parse_document
from core.engine.dataset.specification import Specification, specification_of
from core.engine.offline.pricing import Tariff, price_files
from core.engine.tariff.configuration import Configuration, configuration_from
from core.operations.rerunning import rerun
from core.submissions.commands.uploads import remove_file
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState, SubmissionState
from tests.service.configurations.world import (
    FIRST,
    HOME_RENAMED,
    HOST,
    REQUIRED,
    SWIMS,
    TARIFF,
    import_set,
    import_tariff,
    payers,
    read_again,
    reset,
    upload,
)
from tests.service.month import HACKNEY, REGISTER, TOWER_HAMLETS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.month import Service

MONTHS = [dt.date(2017, number, 1) for number in range(4, 10)]
ALSO_REQUIRED = REQUIRED.replace("name: Home", "name: Residence")
VERSIONS = [HOME_RENAMED, ALSO_REQUIRED, ALSO_REQUIRED.replace('"4"\nstart: 2017-07',
            '"5"\nstart: 2017-08').replace(" Age,", " Years,")]  # fmt: skip
SHADOW = TARIFF.replace("swims-2017", "shadow").replace("status: live", "status: shadow")
STEPS = 30


@dataclass
class Model:
    """What is imported, and what each submitted month keeps: the rules in five lines of Python."""

    versions: list[str] = field(default_factory=lambda: [FIRST])
    revisions: list[tuple[dt.date, str]] = field(default_factory=lambda: [(MONTHS[0], TARIFF)])
    kept: dict[dt.date, tuple[str, str]] = field(default_factory=dict)

    def rules(self, month: dt.date) -> tuple[str, str]:
        """The version and the tariff of a month."""
        if month in self.kept:
            return self.kept[month]
        begun = [each for each in self.versions if start(each) <= month]
        holding = [body for since, body in self.revisions if since <= month]
        return max(begun, key=start), holding[-1]


def start(body: str) -> dt.date:
    return read(body).start or dt.date.min


def read(body: str) -> Specification:
    return specification_of(body)


def tariff_in(body: str, specification: Specification) -> Configuration:
    return configuration_from(parse_document(body, name="tariff.yaml"), specification)


@dataclass
class Walk:
    """An operator who does one thing after the other."""

    service: Service
    folder: Path
    random: random.Random
    model: Model = field(default_factory=Model)
    files: dict[dt.date, dict[int, Path]] = field(default_factory=dict)

    def import_something(self) -> None:
        kind = self.random.choice(["version", "revision", "shadow"])
        try:
            if kind == "version":
                body = self.random.choice(VERSIONS)
                import_set(self.service, body)
                self.model.versions = [*dict.fromkeys([*self.model.versions, body])]
            elif kind == "revision":
                since = self.random.choice(MONTHS)
                rate = self.random.randrange(1000, 9999)
                body = TARIFF.replace('"10.00"', f'"{rate // 100}.{rate % 100:02}"')
                import_tariff(self.service, body, since=since, why="a walk", leave=True)
                held = [each for each in self.model.revisions if each[0] < since]
                self.model.revisions = [*held, (since, body)]
            else:
                import_tariff(self.service, SHADOW)
        except UserError as refused:
            assert "submitted" in str(refused), refused
        read_again(self.service)

    def add_file(self, month: dt.date) -> None:
        number = self.open(month)
        if number is None:
            return
        version = read(self.model.rules(month)[0])
        names = [each.name for each in version.fields if each.name != "Lesson"]
        lines = []
        for _ in range(self.random.randrange(1, 6)):
            home = self.random.choice((HACKNEY, TOWER_HAMLETS))
            lesson = self.random.choice(("L1,", "L2,L3", "L3,", "L1,L3"))
            values = {"Pool": "ZX1-A", "Swimmer": str(self.random.randrange(9)),
                      "Day": f"{month:%Y-%m}-03"}  # fmt: skip
            plain = [values.get(name, "7" if name in ("Age", "Years") else home) for name in names]
            lines.append(",".join([*plain, lesson]))
        headings = ",".join([*names, "Lesson 1", "Lesson 2"])
        file_id = upload(self.service, number, *lines, headings=headings)
        assert self.service.check(file_id) == FileState.READY
        path = self.folder / f"{file_id}.csv"
        path.write_text("\n".join([headings, *lines, ""]))
        self.files.setdefault(month, {})[file_id] = path

    def open(self, month: dt.date) -> int | None:
        """The month, if it can change; files that another version refused are taken out of it."""
        number = self.service.month(month=month, dataset=SWIMS)
        if self.service.submission(number).state == SubmissionState.SUBMITTED:
            return None
        for file_id in list(self.files.get(month, {})):
            if self.service.state(file_id) != FileState.READY:
                self.remove(month, file_id)
        return number

    def remove(self, month: dt.date, file_id: int) -> None:
        with self.service.engine.begin() as connection:
            remove_file(connection, file_id, user_id=self.service.amira)
        del self.files[month][file_id]

    def remove_something(self, month: dt.date) -> None:
        if self.open(month) is not None and self.files.get(month):
            self.remove(month, self.random.choice(list(self.files[month])))

    def open_again(self, month: dt.date) -> None:
        number = self.service.month(month=month, dataset=SWIMS)
        if self.service.submission(number).state == SubmissionState.SUBMITTED:
            reset(self.service, number)

    def run(self, month: dt.date) -> None:
        number = self.open(month)
        if number is None or not self.files.get(month):
            return
        kind = self.random.choice(["draft", "final"])
        run_id = self.service.run(number, "final" if kind == "final" else "draft")
        rules = self.model.rules(month)
        if kind == "final":
            self.model.kept[month] = rules
        assert payers(self.service, number) == self.offline(month, rules)
        again = rerun(self.service.engine, self.service.store, run_id)
        assert again.same, again

    def offline(self, month: dt.date, rules: tuple[str, str]) -> dict[str | None, int]:
        """Commissioner to pence, as ``grouper price`` has it."""
        specification = read(rules[0])
        outcome = price_files(
            [(path.name, path) for _, path in sorted(self.files[month].items())],
            Tariff(specification, tariff_in(rules[1], specification), "ZX1", month,
                   {"ZX1-A": HOST}, REGISTER),
        )  # fmt: skip
        assert outcome.calculation is not None
        charges = outcome.calculation.charges.select(["commissioner", "amount"])
        sums = charges.group_by("commissioner").aggregate([("amount", "sum")])
        return {row["commissioner"]: row["amount_sum"] for row in sums.to_pylist()}


@pytest.mark.parametrize("seed", range(3))
def test_a_month_comes_to_the_same_offline_whatever_is_imported_between(
    service: Service, tmp_path: Path, seed: int
) -> None:
    import_set(service, FIRST)
    import_tariff(service, TARIFF)
    walk = Walk(service, tmp_path, random.Random(seed))
    acts = [walk.add_file, walk.add_file, walk.run, walk.run, walk.remove_something,
            walk.open_again]  # fmt: skip
    for _ in range(STEPS):
        if walk.random.random() < 0.25:
            walk.import_something()
        else:
            walk.random.choice(acts)(walk.random.choice(MONTHS))
    for month in MONTHS:
        walk.open_again(month)
        walk.add_file(month)
        walk.run(month)
    runs = tables.runs
    assert service.one(sa.select(sa.func.count()).select_from(runs)) >= len(MONTHS)
