"""What an import changes: the months that would be judged or priced by other rules than before.

The rules in force are compared before and after, in the one transaction of the import, so that
whatever an import does is seen, and a refusal leaves nothing behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import Version, all_versions, get_version
from core.configurations.import_lock import IMPORT_LOCK
from core.configurations.in_force import holdings_of, tariffs_in_force, version_by_month
from core.configurations.meeting import meetings, without_a_month
from core.database import tables
from core.database.locks import hold_until_end
from core.documents import parse_document
from core.engine.dataset.specification import Specification
from core.engine.reading.revision import TAKEN_OVER_READER
from core.engine.tariff.configuration import Configuration, Status, configuration_from
from core.engine.tariff.months import Month
from core.user_errors import DocumentError, UserError
from core.vocabulary.states.submissions import STAGES, SubmissionState

AT_WORK = (SubmissionState.QUEUED, *STAGES, SubmissionState.MEASURING)
"""The states in which a run of the month is under way."""
NAMED = 12
"""So many months are named in a refusal; the others are counted."""


_TAKEN_OVER = (
    sa.exists()
    .where(
        tables.files.c.submission_id == tables.submissions.c.id,
        tables.files.c.state != "removed",
        tables.files.c.reader == TAKEN_OVER_READER,
    )
    .correlate(tables.submissions)
)
"""SQL on months: another service read a file of the month."""


@dataclass(frozen=True)
class MonthRules:
    """A month that was begun, and the rules that follow for it."""

    submission_id: int
    provider: str
    month: dt.date
    dataset: str
    state: str
    keeps_version: bool
    keeps_tariff: bool  # submitted once at least: it keeps the rules that it was submitted under
    files: int
    taken_over: bool  # a file of it was read by the old service, and cannot be checked again
    version: int | None
    tariff: int | None

    @property
    def submitted(self) -> bool:
        return self.keeps_tariff or (self.keeps_version and not self.taken_over)

    @property
    def name(self) -> str:
        return f"{Month.of(self.month).name} of {self.provider}"


@dataclass
class Consequences:
    """What an import changes, in months and in words."""

    judged_anew: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    priced_anew: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    reprocessed: list[str] = field(default_factory=list)
    reached: list[int] = field(default_factory=list)
    """The ids of the submitted months that a change of a tariff reaches."""
    notes: list[str] = field(default_factory=list)

    @property
    def sentences(self) -> list[str]:
        """A sentence for each thing that changes."""
        about = (
            ("Checked again under another version: {}.", self.judged_anew),
            (
                "Taken over from the old service, so their files are not here to be checked again; "
                "they keep the version that they have: {}.",
                self.kept,
            ),
            ("Not submitted yet, and priced by another tariff or revision: {}.", self.priced_anew),
            ("Submitted, and left as they are: {}.", self.left),
            ("Submitted, and calculated anew: {}.", self.reprocessed),
        )
        return [text.format(named(months)) for text, months in about if months] + self.notes


def named(months: list[str]) -> str:
    """The months with a comma between; of many the first ones and how many more."""
    shown = ", ".join(months[:NAMED])
    more = len(months) - NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown


@contextmanager
def weighed(connection: Connection, *, leave_submitted: bool = False) -> Iterator[Consequences]:
    """Refuses, with ``UserError``, an import that would break something; tells what it changes.

    ``leave_submitted``: submitted months that it reaches keep their own rules, and are named. All
    within one transaction: of two imports at once, the second sees what the first did.
    """
    hold_until_end(connection, IMPORT_LOCK)
    before, broken_before = _rules_of_months(connection), set(_broken(connection))
    told_before = {*meetings(connection), *_broken_drafts(connection)}
    consequences = Consequences()
    # A savepoint, so that whoever goes on after a refusal keeps nothing of the import.
    with connection.begin_nested():
        yield consequences
        _weigh(connection, before, broken_before, consequences, leave_submitted=leave_submitted)
        telling = [*meetings(connection), *_broken_drafts(connection)]
        consequences.notes += [each for each in telling if each not in told_before]


def _weigh(
    connection: Connection,
    before: dict[int, MonthRules],
    broken_before: set[str],
    consequences: Consequences,
    *,
    leave_submitted: bool,
) -> None:
    broken = [text for text in _broken(connection) if text not in broken_before]
    if broken:
        raise UserError("\n".join(broken))
    _align_open_months(connection)
    after = _rules_of_months(connection)
    judged_anew = _compare(before, after, consequences, leave_submitted=leave_submitted)
    _keep_taken_over(connection, before, after)
    consequences.notes += _corrections_lost(connection, judged_anew)


def _rules_of_months(connection: Connection) -> dict[int, MonthRules]:
    months, organisations, files = tables.submissions, tables.organisations, tables.files
    count = (
        sa.select(sa.func.count())
        .where(files.c.submission_id == months.c.id, files.c.state != "removed")
        .scalar_subquery()
    )
    query = (
        sa.select(
            months.c.id,
            organisations.c.code,
            months.c.month,
            months.c.dataset,
            months.c.state,
            months.c.dataset_id.is_not(None),
            months.c.configuration_id.is_not(None),
            count,
            _TAKEN_OVER,
            version_by_month(),
        )
        .join(organisations, organisations.c.id == months.c.provider_id)
        .order_by(months.c.month, organisations.c.code, months.c.dataset)
    )
    held = holdings_of(connection)
    rules = {}
    for row in connection.execute(query):
        in_force = tariffs_in_force(held.get(row.code, {}), row.month)
        values = (*row, in_force.get(row.dataset))
        rules[row.id] = MonthRules(*values)
    return rules


def _compare(
    before: dict[int, MonthRules],
    after: dict[int, MonthRules],
    consequences: Consequences,
    *,
    leave_submitted: bool,
) -> list[int]:
    """Refuses what must not change; gives the open months that are judged anew."""
    changed: dict[str, list[MonthRules]] = {}
    for number, now in after.items():
        then = before.get(number, now)  # a month that was begun meanwhile follows the new rules
        kind = _kind(then, now)
        if kind is not None:
            changed.setdefault(kind, []).append(now)
    names = {kind: [month.name for month in months] for kind, months in changed.items()}
    _refuse(names, leave_submitted=leave_submitted)
    consequences.left += names.get("priced otherwise", [])
    consequences.judged_anew += names.get("judged anew", [])
    consequences.kept += names.get("kept", [])
    consequences.priced_anew += names.get("priced anew", [])
    consequences.reached += [each.submission_id for each in changed.get("priced otherwise", [])]
    return [each.submission_id for each in changed.get("judged anew", [])]


def _kind(then: MonthRules, now: MonthRules) -> str | None:
    """What an import does to a month; None: nothing."""
    other_version = now.version != then.version
    if not other_version and now.tariff == then.tariff:
        return None
    if now.submitted:
        return "judged otherwise" if other_version else "priced otherwise"
    if now.state in AT_WORK:
        return "at work"
    if now.taken_over and other_version:
        return None if now.keeps_version else "kept"
    if not other_version:
        return "priced anew"
    return "judged anew" if now.files else None


def _keep_taken_over(
    connection: Connection, before: dict[int, MonthRules], after: dict[int, MonthRules]
) -> None:
    """Months of the old service keep the version that they had: their records are of it, and no
    file is there from which they could be read by another one."""
    months = tables.submissions
    for number, now in after.items():
        then = before.get(number, now)
        if _kind(then, now) == "kept":
            connection.execute(
                months.update().where(months.c.id == number).values(dataset_id=then.version)
            )


def _refuse(names: dict[str, list[str]], *, leave_submitted: bool) -> None:
    if "at work" in names:
        raise UserError(
            f"A run is under way for {named(names['at work'])}, which this import would change. "
            "Import it again when the run has ended."
        )
    if "judged otherwise" in names:
        raise UserError(
            f"This would change months that are submitted: {named(names['judged otherwise'])}. Let "
            "the version start in a later month."
        )
    if "priced otherwise" in names and not leave_submitted:
        raise UserError(
            f"This would change months that are submitted: {named(names['priced otherwise'])}. Let "
            "it hold from a later month, or say that they are left as they are "
            "(--leave-submitted) or calculated anew (--reprocess)."
        )


def _corrections_lost(connection: Connection, months: list[int]) -> list[str]:
    """A sentence for each file with corrections of a field that its version does not have."""
    made, files, submissions = tables.corrections, tables.files, tables.submissions
    query = (
        sa.select(files.c.name, made.c.field, version_by_month())
        .join(files, files.c.id == made.c.file_id)
        .join(submissions, submissions.c.id == files.c.submission_id)
        .where(submissions.c.id.in_(months), made.c.undone_at.is_(None), files.c.state != "removed")
        .order_by(files.c.id, made.c.id)
    )
    lost: dict[str, dict[str, None]] = {}
    for name, column, version in connection.execute(query):
        if column not in get_version(connection, version).specification.columns:
            lost.setdefault(name, {})[column] = None
    return [
        f"Corrections of {name} count no more, since these columns are gone: {', '.join(columns)}."
        for name, columns in lost.items()
    ]


def _align_open_months(connection: Connection) -> None:
    """Moves a month that was never submitted to the data set that its tariff now names, where the
    one that it was begun with has no tariff, and the provider has exactly one."""
    months, organisations = tables.submissions, tables.organisations
    query = (
        sa.select(months.c.id, organisations.c.code, months.c.month, months.c.dataset)
        .join(organisations, organisations.c.id == months.c.provider_id)
        .where(
            months.c.dataset_id.is_(None),
            months.c.state.not_in(AT_WORK),
            sa.not_(_TAKEN_OVER),
        )
        .order_by(months.c.id)
    )
    held, other = holdings_of(connection), months.alias("other")
    for number, provider, month, dataset in connection.execute(query).all():
        names = list(tariffs_in_force(held.get(provider, {}), month))
        if len(names) != 1 or names == [dataset]:
            continue
        taken = sa.exists().where(
            other.c.provider_id == months.c.provider_id,
            other.c.month == months.c.month,
            other.c.dataset == names[0],
        )
        connection.execute(
            months.update().where(months.c.id == number, sa.not_(taken)).values(dataset=names[0])
        )


def _broken(connection: Connection) -> list[str]:
    """Every tariff that names what a version of its data set in force during it does not have, and
    every one that would price no month of a provider."""
    return _misfits(connection) + without_a_month(connection)


def _broken_drafts(connection: Connection) -> list[str]:
    """Every draft that names what a version does not have, which harms nobody yet."""
    misfits = _misfits(connection, drafts=True)
    return [f"No harm yet, since it is a draft: {each}" for each in misfits]


def _misfits(connection: Connection, *, drafts: bool = False) -> list[str]:
    versions = all_versions(connection)
    configurations, members = tables.configurations, tables.configuration_providers
    query = (
        sa.select(
            configurations.c.configuration,
            configurations.c.body,
            members.c.dataset,
            sa.func.min(sa.func.lower(members.c.during)),
            sa.func.max(sa.func.upper(members.c.during)) - 1,
        )
        .join(members, members.c.configuration_id == configurations.c.id)
        .where((configurations.c.status == Status.DRAFT) == drafts)
        .group_by(configurations.c.id, members.c.dataset)
        .order_by(configurations.c.configuration, configurations.c.revision)
    )
    texts: list[str] = []
    for name, body, dataset, first, last in connection.execute(query):
        for version in versions_between(versions, dataset, first, last):
            texts += _refused(name, body, version.specification)
    return list(dict.fromkeys(texts))


def versions_between(
    versions: list[Version], dataset: str, first: dt.date, last: dt.date
) -> list[Version]:
    """The versions of the data set that are in force in some month from ``first`` to ``last``."""
    its_own = [each for each in versions if each.specification.dataset == dataset]
    latest_first = sorted(
        its_own, key=lambda each: (each.specification.start or dt.date.min, each.id), reverse=True
    )
    in_force: list[Version] = []
    end = Month.of(last).first
    for version in latest_first:
        start = version.specification.start or dt.date.min
        if start > end:
            continue
        in_force.append(version)
        if start <= Month.of(first).first:
            break
        end = start - dt.timedelta(days=1)
    return in_force


def _refused(name: str, body: str, specification: Specification) -> list[str]:
    try:
        read_tariff(body, specification, name=name)
    except DocumentError as refused:
        start = specification.start
        since = f" from {Month.of(start).name}" if start else ""
        return [
            f"The tariff {name!r} does not fit version {specification.version} of "
            f"{specification.dataset}, in force{since}: {problem.text}"
            for problem in refused.problems
        ]
    return []


def read_tariff(body: str, specification: Specification, *, name: str) -> Configuration:
    """A tariff against a version of its data set; raises ``DocumentError``."""
    return configuration_from(parse_document(body, name=name), specification)
