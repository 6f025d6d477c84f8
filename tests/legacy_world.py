"""A whole old service: rows of all its tables that fit each other, and what is wrong with some.

Activity is that of core/samples, charges are those of our own calculation; both are then altered
here and there. Every fault is told of in ``World.bad``: table and id, with the code of the reason.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from core.documents import parse_document
from core.engine.areas.register import AreaRegister
from core.engine.calculation.stages import Calculation, Terms, calculate
from core.engine.dataset.specification import Specification, load_specification
from core.engine.samples.activity import HOSTS, SPECIFICATION, make_activity, sample_clinics
from core.engine.tariff.configuration import Configuration, configuration_from
from core.engine.tariff.money import Money
from core.engine.tariff.statements import parse_statement
from core.settings import PROJECT

TARIFF = PROJECT / "core/engine/tariff/library/illustrative-isht-2017-18.yaml"
CHANGED = "2018-06-01T09:00:00Z"
KEYS = ("Clinic ID", "Patient ID", "Attendance Date", "LSOA", "Organisation ID")
CHAIN = 50
Row = dict[str, Any]


@dataclass
class World:
    """Rows by table, what is wrong with which, and how charges were altered."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    bad: dict[tuple[str, int], str] = field(default_factory=dict)
    altered: dict[str, int] = field(default_factory=dict)  # cause to how many charges

    def add(self, table: str, /, **values: Any) -> int:
        rows = self.rows.setdefault(table, [])
        number = rows[-1]["id"] + 1 if rows else 1
        rows.append({"id": number, "changedAt": CHANGED, **values})
        return number

    def fault(self, table: str, code: str, /, **values: Any) -> int:
        """A row that cannot be taken over, and why."""
        number = self.add(table, **values)
        self.bad[table, number] = code
        return number

    @property
    def count(self) -> int:
        return sum(map(len, self.rows.values()))

    def good(self, table: str) -> int:
        """How many different rows can be taken over."""
        ids = {row["id"] for row in self.rows[table]}
        return len(ids) - sum(name == table for name, _ in self.bad)


def make_world(
    *, providers: int, months: int, records: int, seed: int = 1, troubles: bool = True
) -> World:
    """A world of so many providers and months each, with so many records a month."""
    maker = _Maker(World(), random.Random(seed))
    maker.lists()
    maker.people(providers)
    maker.tariff()
    for provider in maker.providers:
        for month in range(months):
            maker.month(provider, dt.date(2017, 4 + month, 1), records)
    maker.rest()
    if troubles:
        maker.troubles()
    return maker.world


@dataclass
class _Maker:
    world: World
    dice: random.Random
    specification: Specification = field(default_factory=lambda: load_specification(SPECIFICATION))
    ids: dict[Any, int] = field(default_factory=dict)
    providers: list[str] = field(default_factory=list)

    @property
    def configuration(self) -> Configuration:
        document = parse_document(self.tariff_text(), name="tariff")
        return configuration_from(document, self.specification)

    def tariff_text(self) -> str:
        listed = "".join(
            f"  {code}: {{factor: {1 + place / 100:.2f}}}\n"
            for place, code in enumerate(self.providers)
        )
        text = TARIFF.read_text().replace("  ZX1: {factor: 1.17}\n", listed)
        start = text.index("  ZX2: {}")
        return text[:start] + text[text.index("\n", start) + 1 :]

    # Lists

    def lists(self) -> None:
        world = self.world
        self.ids["framework"] = world.add(
            "frameworks", name="Sexual health", dataset="sexual-health", version="1"
        )
        for position, name in enumerate(self.specification.fields):
            called = name.name
            self.ids["group", called] = world.add("validationGroups", name=f"Options of {called}")
            self.ids["element", called] = world.add(
                "elements",
                frameworkId=self.ids["framework"],
                groupId=self.ids["group", called],
                name=called,
                position=position,
            )

    def option(self, name: str, code: str) -> int:
        if ("option", name, code) not in self.ids:
            self.ids["option", name, code] = self.world.add(
                "validationOptions",
                groupId=self.ids["group", name],
                code=code,
                label=f"{name} {code}",
                alternativeId=None,
            )
        return self.ids["option", name, code]

    # People and places

    def people(self, providers: int) -> None:
        for area, name in HOSTS:
            self.organisation("COMMISSIONER", area, f"London Borough of {name}")
        for number in range(providers):
            code = f"LZ{number:02d}"
            self.providers.append(code)
            self.organisation("PROVIDER", code, f"Old Trust {number}")
            for clinic, name, host in sample_clinics(code):
                self.ids["clinic", clinic] = self.world.add(
                    "clinics",
                    organisationId=self.ids["organisation", code],
                    code=clinic,
                    name=name,
                    address=f"{number} Old Street",
                    hostCode=host,
                )
            self.user(code, number)

    def organisation(self, kind: str, code: str, name: str, part_of: int | None = None) -> int:
        self.ids["organisation", code] = self.world.add(
            "organisations", kind=kind, code=code, name=name, address="1 Old Road", partOfId=part_of
        )
        return self.ids["organisation", code]

    def user(self, code: str, number: int) -> None:
        for turn in range(2):
            login = f"{code}-{turn}@old.example"
            self.ids["user", code] = self.world.add(
                "users", login=login, name=f"Analyst {number} {turn}", email=login, active=turn == 0
            )
            self.subscribe(code, number, turn)

    def subscribe(self, code: str, number: int, turn: int) -> None:
        subscription = self.world.add(
            "subscriptions",
            userId=self.ids["user", code],
            organisationId=self.ids["organisation", code],
            role="PROVIDER_PLUS" if turn else "PROVIDER_BASIC",
            quotedOn="2017-03-01",
            startsOn="2017-04-01",
            endedOn="9999-12-31" if turn else None,
            price="680.00",
        )
        self.invoice(subscription, 2 * number + turn + 1)

    def invoice(self, subscription: int, number: int, **values: Any) -> int:
        return self.world.add(
            "invoices",
            **{
                "subscriptionId": subscription,
                "number": number,
                "billedName": "Old Trust",
                "billedAddress": None,
                "contact": "Accounts",
                "email": None,
                "issuedOn": "2017-03-02",
                "dueOn": "2017-04-01",
                "vatPercent": "20.00",
                "net": "680.00",
                "vat": "136.00",
                "total": "816.00",
                "paidOn": "1900-01-01" if number % 2 else "2017-03-20",
                **values,
            },
        )

    # The tariff

    def tariff(self) -> None:
        tariff = self.configuration
        number = self.world.add(
            "configurations",
            reference="old-isht-2017-18",
            title="The old tariff",
            frameworkId=self.ids["framework"],
            status="LIVE",
            startsOn=f"{tariff.start}",
            endsOn=f"{tariff.end}",
            leadId=self.ids["organisation", HOSTS[0][0]],
            submitWithin=tariff.submit_within_days,
        )
        self.ids["configuration"] = number
        self.participants(number, tariff)
        for position, currency in enumerate(tariff.currencies):
            self.currency(number, position, currency)
        for position, rule in enumerate(tariff.combinations):
            self.combination(number, position, rule)

    def participants(self, number: int, tariff: Configuration) -> None:
        factors = {code: each.factor for code, each in tariff.providers.items()}
        factors |= {code: each.geo_weighting for code, each in tariff.commissioners.items()}
        for code, factor in factors.items():
            self.world.add(
                "participants",
                configurationId=number,
                organisationId=self.ids["organisation", code],
                factor=None if factor is None else f"{factor}",
            )

    def currency(self, number: int, position: int, currency: Any) -> None:
        key = self.world.add(
            "currencies",
            configurationId=number,
            position=position,
            code=currency.code,
            name=currency.name,
            primaryRate=Money(currency.primary).plain,
            additionalRate=Money(currency.additional).plain,
            crossCharge=currency.cross_charge.upper(),
        )
        self.ids["currency", currency.code] = key
        for place, text in enumerate(currency.triggers):
            statement = self.world.add("triggerSets", currencyId=key, position=place)
            conditions = parse_statement(text, self.specification).conditions
            for turn, condition in enumerate(conditions):
                self.world.add(
                    "triggers",
                    triggerSetId=statement,
                    position=turn,
                    elementId=self.ids["element", condition.field],
                    optionId=self.option(condition.field, condition.code),
                    isNot=condition.negated,
                )

    def combination(self, number: int, position: int, rule: Any) -> None:
        key = self.world.add("combinationSets", configurationId=number, position=position)
        for side, codes in (("IF", rule.members), ("THEN", rule.results)):
            for place, code in enumerate(codes):
                self.world.add(
                    "combinationMembers",
                    combinationSetId=key,
                    position=place,
                    currencyId=self.ids["currency", code],
                    side=side,
                )

    # Months

    def month(self, provider: str, month: dt.date, records: int) -> None:
        submission = self.world.add(
            "submissions",
            organisationId=self.ids["organisation", provider],
            month=f"{month:%Y-%m}",
            status="SANDBOX" if month.month > 12 else "SUBMITTED",
            configurationId=self.ids["configuration"],
            submittedById=self.ids["user", provider],
            submittedAt="2018-01-05T10:00:00Z",
        )
        file = self.file(submission, provider, month)
        activity = make_activity(records, provider, month, self.dice.randrange(10**6))
        self.records(file, activity)
        done = self.calculated(activity, provider, month)
        self.charges(submission, done.charges)
        for kpi in (1, 2):
            self.world.add(
                "kpiResults",
                kpiId=kpi,
                submissionId=submission,
                numerator=self.dice.randrange(100),
                denominator="100",
            )

    def file(self, submission: int, provider: str, month: dt.date, position: int = 1) -> int:
        return self.world.add(
            "files",
            submissionId=submission,
            position=position,
            name=f"{provider}-{month:%Y-%m}.csv",
            path=f"old/{provider}/{month:%Y-%m}-{position}.csv",
            size=12345,
            sha256="0" * 64,
            uploadedById=self.ids["user", provider],
            uploadedAt="2018-01-04T10:00:00Z",
        )

    def records(self, file: int, activity: pa.Table) -> None:
        columns = {name: activity[name].cast(pa.string()).to_pylist() for name in
                   activity.column_names}  # fmt: skip
        values = [name for name in columns if name not in KEYS]
        for row in range(activity.num_rows):
            self.world.add(
                "records",
                fileId=file,
                row=row + 2,
                clinicId=self.ids["clinic", columns["Clinic ID"][row]],
                patientId=columns["Patient ID"][row],
                attendanceDate=columns["Attendance Date"][row],
                lsoa=columns["LSOA"][row],
                values={name: columns[name][row] for name in values if columns[name][row]},
            )

    def calculated(self, activity: pa.Table, provider: str, month: dt.date) -> Calculation:
        rows = activity.num_rows
        numbered = activity.append_column("row", pa.array(range(2, rows + 2), pa.int32()))
        numbered = numbered.append_column("file", pa.array([0] * rows, pa.int32()))
        return calculate(
            numbered,
            Terms(
                self.specification,
                self.configuration,
                provider=provider,
                hosts={clinic: host for clinic, _, host in sample_clinics(provider)},
                register=AreaRegister.shipped().as_of(month),
            ),
        )

    def charges(self, submission: int, charges: pa.Table) -> None:
        texts = {
            name: (
                column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            ).to_pylist()
            for name, column in zip(charges.column_names, charges.columns, strict=True)
        }
        for row in range(charges.num_rows):
            one = {name: column[row] for name, column in texts.items()}
            self.charge(submission, one)

    def charge(self, submission: int, one: Row) -> None:
        payer = one["commissioner"]
        if payer is not None and ("organisation", payer) not in self.ids:
            self.organisation("COMMISSIONER", payer, f"Authority {payer}")
        amount = one["amount"]
        if self.dice.random() < 0.002:
            amount += 1
            self.world.altered["amount"] = self.world.altered.get("amount", 0) + 1
        self.world.add(
            "charges",
            submissionId=submission,
            clinicId=self.ids["clinic", one["clinic_id"]],
            patientId=one["patient_id"],
            attendanceDate=one["attendance_date"],
            currencyId=self.ids["currency", one["currency"]],
            rateType=one["rate_type"].upper(),
            rate=Money(one["rate"]).plain,
            factor=one["factor"],
            amount=Money(amount).plain,
            commissionerId=None if payer is None else self.ids["organisation", payer],
            basis=one["basis"].upper(),
        )

    # Indicators and pathways

    def rest(self) -> None:
        world = self.world
        for name in ("HIV test uptake", "Waits"):  # the first is one of ours
            world.add("kpis", name=name, unit="%", query="SELECT 1")
        for number in range(10):
            consumable = world.add("consumables", name=f"Kit {number}", unit="piece")
            for version in (1, 2):
                world.add(
                    "prices",
                    consumableId=consumable,
                    version=version,
                    price=f"{number}.{version}0",
                    startsOn=f"201{5 + version}-04-01",
                    endsOn="9999-12-31" if version == 2 else "2017-03-31",
                )
            pathway, step = world.add("pathways", name=f"Pathway {number}"), None
            for turn in range(5):
                step = world.add(
                    "pathwaySteps",
                    pathwayId=pathway,
                    afterId=step,
                    name=f"Step {turn}",
                    minutes=10,
                )
                world.add("stepConsumables", stepId=step, consumableId=consumable, quantity="1.5")

    # What is wrong

    def troubles(self) -> None:
        self.chains()
        self.faulty_lists()
        self.faulty_accounts()
        self.faulty_months()
        self.faulty_figures()
        self.world.rows["users"][0]["email"] = "nul\x00byte@old.example"
        for code in ("S1", "S2"):
            self.option("Gender", code)
        for table in ("records", "charges", "validationOptions"):
            self.twice(table)

    def chains(self) -> None:
        """A chain of fifty from the leaf to the root, loops, and what hangs on nothing."""
        world, options = self.world, self.world.rows["validationOptions"]
        group = self.ids["group", "Gender"]
        first = options[-1]["id"] + 1
        for link in range(CHAIN):
            after = None if link == CHAIN - 1 else first + link + 1
            world.add("validationOptions", groupId=group, code=f"C{link}", label="chain",
                      alternativeId=after)  # fmt: skip
        one = first + CHAIN
        for here, there in ((one, one + 1), (one + 1, one), (one + 2, one + 2)):
            world.add("validationOptions", groupId=group, code=f"L{here}", label="loop",
                      alternativeId=there)  # fmt: skip
        world.fault("validationOptions", "orphan", groupId=group, code="O1", label="orphan",
                    alternativeId=999_999)  # fmt: skip
        world.fault("validationOptions", "orphan", groupId=group, code="O2", label="its child",
                    alternativeId=one + 3)  # fmt: skip
        parent = None
        for link in range(CHAIN):
            parent = self.organisation("PROVIDER", f"QC{link}", f"Contract {link}", parent)
        loop = world.rows["organisations"][-1]["id"] + 1
        for here, there in ((0, loop + 1), (1, loop)):
            world.fault("organisations", "loop", kind="PROVIDER", code=f"QL{here}", name="Loop",
                        address=None, partOfId=there)  # fmt: skip

    def faulty_lists(self) -> None:
        world = self.world
        good = {"groupId": self.ids["group", "Gender"], "label": "x", "alternativeId": None}
        world.fault("validationOptions", "orphan", **{**good, "groupId": 888_888, "code": "Z1"})
        world.fault("validationOptions", "not-text", **{**good, "code": 17})
        world.fault("validationOptions", "missing", **{**good, "code": "  "})
        world.fault("elements", "not-whole-number", frameworkId=1, groupId=None, name="E",
                    position="second")  # fmt: skip
        itself = len(world.rows["pathwaySteps"]) + 1
        world.fault("pathwaySteps", "loop", pathwayId=1, afterId=itself, name="Itself", minutes=1)
        world.fault("prices", "not-money", consumableId=1, version=9, price="1.234",
                    startsOn="2017-04-01", endsOn=None)  # fmt: skip
        world.fault("prices", "not-date", consumableId=1, version=9, price="1.00",
                    startsOn="2017-02-30", endsOn=None)  # fmt: skip

    def faulty_accounts(self) -> None:
        world = self.world
        row = {"name": "N", "address": None, "partOfId": None}
        world.fault("organisations", "unknown-code", kind="CHARITY", code="QX1", **row)
        world.fault("organisations", "same", kind="PROVIDER", code=self.providers[0], **row)
        world.fault("clinics", "orphan", organisationId=777_777, code="X", name="X",
                    address=None, hostCode=None)  # fmt: skip
        world.fault("clinics", "unknown-code", organisationId=self.ids["organisation", "LZ00"],
                    code="Y", name=None, address=None, hostCode="E09999999")  # fmt: skip
        world.fault("users", "not-boolean", login="a@old.example", name="A", email=None,
                    active="yes")  # fmt: skip
        term = {"userId": 1, "organisationId": None, "price": "0.00", "endedOn": None}
        world.fault("subscriptions", "refused", **term, role="PROVIDER_PLUS",
                    quotedOn="2017-03-01", startsOn="2017-04-01")  # fmt: skip
        world.fault("subscriptions", "unknown-date", **term, role="ADMIN",
                    quotedOn="1900-01-01", startsOn="2017-04-01")  # fmt: skip
        wrong = self.invoice(1, 9001, total="1.00")
        world.bad["invoices", wrong] = "refused"

    def faulty_months(self) -> None:
        world = self.world
        record, charge = (dict(world.rows[table][0]) for table in ("records", "charges"))
        for row in (record, charge):
            del row["id"], row["changedAt"]
        charge |= {"patientId": "77777777"}
        for code, values in (
            ("orphan", {"fileId": 666_666}),
            ("unknown-date", {"attendanceDate": "1900-01-01"}),
            ("unknown-field", {"values": {"Shoe Size": "44"}}),
            ("not-values", {"values": ["T1"]}),
            ("not-whole-number", {"row": "7"}),
        ):
            world.fault("records", code, **{**record, **values})
        for code, values in (
            ("orphan", {"submissionId": 555_555}),
            ("orphan", {"currencyId": 444_444}),
            ("unknown-date", {"attendanceDate": "9999-12-31"}),
            ("unknown-code", {"rateType": "TERTIARY"}),
            ("not-money", {"amount": "twelve"}),
            ("not-number", {"factor": True}),
        ):
            world.fault("charges", code, **{**charge, **values})

    def faulty_figures(self) -> None:
        world = self.world
        world.fault("kpis", "unknown-code", name="Speed", unit="furlongs", query=None)
        world.fault("kpis", "same", name="hiv test UPTAKE", unit="%", query=None)
        figure = {"kpiId": 1, "submissionId": 1, "numerator": "1", "denominator": "100"}
        idle = world.add("kpis", name="Costs", unit="£", query=None)
        for code, values in (
            ("same", {}),
            ("orphan", {"kpiId": 333_333}),
            ("below-zero", {"kpiId": idle, "numerator": "-1"}),
            ("no-share", {"kpiId": 2, "numerator": "101"}),
            ("not-number", {"numerator": "many"}),
        ):
            world.fault("kpiResults", code, **{**figure, **values})
        world.fault("stepConsumables", "same", stepId=1, consumableId=1, quantity="1")
        world.fault("stepConsumables", "orphan", stepId=222_222, consumableId=1, quantity="1")
        price = {"consumableId": 1, "price": "1.00", "startsOn": "2017-04-01"}
        world.fault("prices", "same", version=1, **price, endsOn=None)
        world.fault("prices", "refused", version=8, **price, endsOn="2016-04-01")

    def twice(self, table: str) -> None:
        """An id on two rows that say the same, and one on two that do not."""
        rows = self.world.rows[table]
        one, other = rows[-2:] if table == "validationOptions" else rows[3:5]
        rows.append(dict(one))
        name = "label" if table == "validationOptions" else "patientId"
        rows.append({**other, name: "another"})
        self.world.bad[table, other["id"]] = "twice"
