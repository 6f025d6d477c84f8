"""``grouper price`` and ``grouper sample``, as they are called."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cli import main as command_line

CORE = Path(__file__).parents[3] / "core"
DATASET = CORE / "engine/dataset/library/sexual-health.yaml"
CONFIGURATION = CORE / "engine/tariff/library/illustrative-isht-2017-18.yaml"
HEADINGS = "Clinic ID,Patient ID,Attendance Date,LSOA,SHHAPT 1,SHHAPT 2"


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def grouper(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process."""

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["grouper", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def price(grouper: Run, tmp_path: Path) -> Run:
    """``grouper price`` with options that fit, of which any may be given otherwise."""
    (tmp_path / "clinics.csv").write_text("clinic_id,commissioner\nA,E09000012\n")

    def run(*arguments: object, **options: object) -> Ended:
        given = {
            "dataset": DATASET,
            "configuration": CONFIGURATION,
            "clinics": tmp_path / "clinics.csv",
            "provider": "ZX1",
            "month": "2017-04",
            "out": tmp_path / "out",
        } | options
        return grouper("price", *arguments, *(f"--{name}={value}" for name, value in given.items()))

    return run


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join((HEADINGS, *lines)) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_charges_are_written_to_the_letter_of_the_contract(price: Run, tmp_path: Path) -> None:
    path = written(
        tmp_path, "april.csv", "A,2,2017-04-03,E01000001,T2,C4", "A,10,2017-04-03,X99999999,T4,"
    )
    ended = price(path)
    assert ended.code == 0, ended
    assert (tmp_path / "out/charges.csv").read_text(encoding="utf-8") == (
        "clinic_id,patient_id,attendance_date,currency,rate_type,rate,factor,amount,commissioner,"
        "basis,reason\n"
        "A,10,2017-04-03,T4,primary,86.00,1.17,100.62,E09000012,host,"
        '"SHHAPT = T4 fired T4. Only currency of the episode, so primary."\n'
        "A,2,2017-04-03,STIA,additional,17.68,1.17,20.69,E09000001,resident,"
        '"SHHAPT = C4 fired STIA. T2 has the highest primary rate, so additional."\n'
        "A,2,2017-04-03,T2,primary,44.57,1.17,52.15,E09000001,resident,"
        '"SHHAPT = T2 fired T2. Highest primary rate of the episode, so primary."\n'
    )
    assert "£173.46" in ended.out


def test_episodes_tell_what_was_merged_and_charged(price: Run, tmp_path: Path) -> None:
    first = written(tmp_path, "one.csv", "A,1,2017-04-03,E01000001,T2,D2B")
    second = written(tmp_path, "two.csv", "A,1,2017-04-03,,,C4")
    second.write_text(second.read_text().replace(",,,C4", ",E01000001,,C4"))
    assert price(first, second).code == 0
    (episode,) = read(tmp_path / "out/episodes.csv")
    shown = {name: value for name, value in episode.items() if value}
    assert shown == {
        "clinic_id": "A", "patient_id": "1", "attendance_date": "2017-04-03", "lsoa": "E01000001",
        "district": "E09000001", "SHHAPT": "T2 C4", "records": "2", "currencies": "T2 STIA",
        "amount": "72.84",
    }  # fmt: skip


def test_files_are_merged_in_the_order_given(price: Run, tmp_path: Path) -> None:
    first = written(tmp_path, "one.csv", "A,1,2017-04-03,E01000001,T2,")
    second = written(tmp_path, "two.csv", "A,1,2017-04-03,E01000001,T4,")
    for files, currency, lost in (((first, second), "T4", "T2"), ((second, first), "T2", "T4")):
        assert price(*files).code == 0
        assert [row["currency"] for row in read(tmp_path / "out/charges.csv")] == [currency]
        (warning,) = read(tmp_path / "out/errors.csv")
        assert warning["file"] == files[0].name
        assert warning["row"] == "2"
        assert (warning["field"], warning["value"]) == ("SHHAPT 1", lost)
        assert (warning["code"], warning["severity"]) == ("code-overwritten", "warning")


def test_errors_stop_pricing_and_take_stale_results_away(price: Run, tmp_path: Path) -> None:
    good = written(tmp_path, "good.csv", "A,1,2017-04-03,E01000001,T2,")
    bad = written(
        tmp_path, "bad.csv", "A,1,2017-04-03,E01000001,T2,", "A,2,2017-04-03,E01000001,C99,"
    )
    assert price(good).code == 0
    ended = price(bad)
    assert ended.code == 1
    assert "--skip-errors" in ended.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["errors.csv"]
    (error,) = read(tmp_path / "out/errors.csv")
    assert (error["row"], error["code"]) == ("3", "unknown-code")


def test_records_in_error_are_left_out_when_asked(price: Run, tmp_path: Path) -> None:
    bad = written(
        tmp_path, "bad.csv", "A,1,2017-04-03,E01000001,T2,", "A,2,2017-04-03,E01000001,C99,"
    )
    ended = price(bad, "--skip-errors", "--json")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert (document["errors"], document["records"], document["records_left_out"]) == (1, 2, 1)
    assert document["charges"] == document["episodes"] == 1
    assert len(read(tmp_path / "out/charges.csv")) == 1
    assert len(read(tmp_path / "out/errors.csv")) == 1


def test_the_document_says_where_every_record_and_episode_went(price: Run, tmp_path: Path) -> None:
    lines = [f"A,{patient},2017-04-03,E01000001,{code}," for patient, code in WENT]
    ended = price(written(tmp_path, "went.csv", *lines), "--skip-errors", "--json")
    document = json.loads(ended.out)
    [file] = document["files"]
    counts = [
        file[name] for name in ("rows_in_file", "rows_read", "rows_in_error", "rows_left_out")
    ]
    assert counts == [5, 4, 1, 0]
    names = ("records_calculated", "episodes", "records_merged", "records_left_out")
    assert [document[name] for name in names] == [4, 3, 1, 1]
    assert [document[name] for name in ("episodes_charged", "episodes_without_charge")] == [2, 1]


WENT = [("1", "T2"), ("1", "T2"), ("2", "T4"), ("3", ""), ("4", "C99")]


def test_a_file_that_cannot_be_read_stops_pricing_also_when_skipping(
    price: Run, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    good = written(tmp_path, "good.csv", "A,1,2017-04-03,E01000001,T2,")
    ended = price(good, empty, "--skip-errors")
    assert ended.code == 1
    assert not (tmp_path / "out/charges.csv").exists()
    assert [row["code"] for row in read(tmp_path / "out/errors.csv")] == ["empty-file"]


def test_a_clinic_that_is_not_listed_is_an_error(price: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "april.csv", "a,1,2017-04-03,E01000001,T2,")
    assert price(path).code == 1
    assert [row["code"] for row in read(tmp_path / "out/errors.csv")] == ["unknown-clinic"]


@pytest.mark.parametrize(
    ("between", "code"),
    [
        (HEADINGS, "joined-file"),
        (HEADINGS.upper(), "joined-file"),
        ("NOPE,9,2017-04-03,E01000001,T2,", "unknown-clinic"),
        ("NOPE,9,not a day,E01000001,T2,", "unknown-clinic"),
    ],
)
def test_a_row_that_is_left_out_needs_no_host(
    price: Run, tmp_path: Path, between: str, code: str
) -> None:
    good = "A,{},2017-04-03,E01000001,T2,"
    path = written(tmp_path, "april.csv", good.format(1), between, good.format(2))
    ended = price(path, "--skip-errors")
    assert ended.code == 0, ended
    assert [row["patient_id"] for row in read(tmp_path / "out/charges.csv")] == ["1", "2"]
    assert code in {row["code"] for row in read(tmp_path / "out/errors.csv")}


def test_what_stands_below_the_end_needs_no_host(price: Run, tmp_path: Path) -> None:
    good = "A,1,2017-04-03,E01000001,T2,"
    path = written(tmp_path, "april.csv", good, ",,,,,", "Total,1,,,,")
    ended = price(path, "--skip-errors")
    assert ended.code == 0, ended
    assert [row["patient_id"] for row in read(tmp_path / "out/charges.csv")] == ["1"]


def test_a_date_outside_the_month_is_charged_with_a_warning(price: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "may.csv", "A,1,2017-04-03,E01000001,T2,")
    assert price(path, month="2017-05").code == 0
    assert [row["code"] for row in read(tmp_path / "out/errors.csv")] == ["outside-month"]
    assert len(read(tmp_path / "out/charges.csv")) == 1


def test_the_document_has_totals_in_pounds(price: Run, tmp_path: Path) -> None:
    path = written(
        tmp_path, "april.csv", "A,1,2017-04-03,E01000001,T2,AT", "A,2,2017-04-03,E08000035X,T4,"
    )
    path.write_text(path.read_text().replace("E08000035X", "E01011264"))
    ended = price(path, "--json")
    document = json.loads(ended.out)
    assert ended.code == 0
    assert document["total"] == "163.89"
    for parts in document["totals"].values():
        assert sum(round(float(amount) * 100) for amount in parts.values()) == 16389
    assert document["totals"]["currency"] == {"AST": "11.12", "T2": "52.15", "T4": "100.62"}
    assert set(document["paths"]) == {"charges", "episodes", "errors"}


def test_rows_of_one_code_each_are_transposed(price: Run, tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    lines = ["Clinic ID,Patient ID,Attendance Date,LSOA,Episode_Activity"]
    lines += [f"A,1,2017-04-03,E01000001,{code}" for code in ("T2", "C4")]
    path.write_text("\n".join(lines) + "\n")
    assert price(path, "--transpose").code == 0
    assert [row["currency"] for row in read(tmp_path / "out/charges.csv")] == ["STIA", "T2"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"provider": "ZX9"}, "its providers are: ZX1, ZX2"),
        ({"month": "2018-04"}, "from 2017-04-01 to 2018-03-31"),
        ({"month": "April"}, "'April' is not a month"),
        ({"month": "2017-13"}, "'2017-13' is not a month"),
        ({"clinics": "/nowhere.csv"}, "/nowhere.csv"),
        ({"configuration": DATASET}, "sexual-health.yaml"),
    ],
)
def test_wrong_use_is_one_clear_line(
    options: dict[str, object], words: str, price: Run, tmp_path: Path
) -> None:
    ended = price(written(tmp_path, "april.csv", "A,1,2017-04-03,E01000001,T2,"), **options)
    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "out").exists()


def test_a_draft_is_never_used(price: Run, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(CONFIGURATION.read_text().replace("status: live", "status: draft"))
    ended = price(written(tmp_path, "april.csv"), configuration=draft)
    assert (ended.code, "is a draft" in ended.err) == (2, True)


def test_a_shadow_and_a_tariff_that_begins_in_the_month_say_so(price: Run, tmp_path: Path) -> None:
    file, other = written(tmp_path, "a.csv", "A,1,2017-04-20,E01004198,T2,"), tmp_path / "o.yaml"
    plain = price(file)
    text = CONFIGURATION.read_text()
    other.write_text(
        text.replace("status: live", "status: shadow").replace("2017-04-01", "2017-04-15")
    )
    ended = price(file, configuration=other)
    assert (plain.code, ended.code) == (0, 0), ended.err
    for words in ("nobody owes these amounts", "It begins on 2017-04-15: where another tariff"):
        assert words in ended.out
        assert words not in plain.out


def test_own_areas_take_the_place_of_the_register(price: Run, tmp_path: Path) -> None:
    areas = tmp_path / "areas.csv"
    areas.write_text("lsoa,district\nE01000001,E09000030\n")
    path = written(tmp_path, "april.csv", "A,1,2017-04-03,E01000001,T2,")
    assert price(path, areas=areas).code == 0
    assert [row["commissioner"] for row in read(tmp_path / "out/charges.csv")] == ["E09000030"]


def test_a_sample_can_be_priced(grouper: Run, price: Run, tmp_path: Path) -> None:
    sample = ["sample", "--rows=500", "--provider=ZX1", "--month=2017-04", "--seed=3"]
    clinics = tmp_path / "hosts.csv"
    for ending in ("csv", "xlsx"):
        path = tmp_path / f"sample.{ending}"
        assert grouper(*sample, f"--out={path}", f"--clinics-out={clinics}").code == 0
        assert price(path, clinics=clinics, out=tmp_path / ending).code == 0
    assert (tmp_path / "csv/charges.csv").read_bytes() == (
        tmp_path / "xlsx/charges.csv"
    ).read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [["--rows=0"], ["--errors=2"], ["--seed=-1"], ["--month=x"], ["--out=sample.ods"]],
)
def test_wrong_use_of_sample_is_one_clear_line(
    arguments: list[str], grouper: Run, tmp_path: Path
) -> None:
    fitting = ["--rows=5", "--provider=ZX1", "--month=2017-04", "--seed=3"]
    ended = grouper("sample", *fitting, f"--out={tmp_path / 'x.csv'}", *arguments)
    assert ended.code == 2
    assert ended.err.startswith("grouper: ")


def test_offline_commands_import_neither_prefect_nor_streamlit_nor_pandas(tmp_path: Path) -> None:
    program = (
        "import sys; from cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "slow = {'prefect', 'streamlit', 'pandas', 'sqlalchemy', 'polars'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    (tmp_path / "clinics.csv").write_text("clinic_id,commissioner\nA,E09000012\n")
    path = written(tmp_path, "april.csv", "A,1,2017-04-03,E01000001,T2,")
    ended = subprocess.run(
        [sys.executable, "-c", program, "price", path, "--dataset", DATASET, "--configuration",
         CONFIGURATION, "--clinics", tmp_path / "clinics.csv", "--provider", "ZX1", "--month",
         "2017-04", "--out", tmp_path],
        capture_output=True, text=True, check=True, cwd=CORE.parent,
    )  # fmt: skip
    assert "£52.15" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("result", ["charges.csv", "episodes.csv", "errors.csv"])
@pytest.mark.parametrize("code", ["T2", "C99"])
def test_no_result_takes_the_place_of_what_is_read(
    price: Run, tmp_path: Path, result: str, code: str
) -> None:
    activity = written(tmp_path, result, f"A,1,2017-04-03,E01000001,{code},")
    before = activity.read_bytes()
    ended = price(activity, out=tmp_path)
    assert ended.code == 2
    assert f"{result}: the results would take the place of this file" in ended.err
    assert activity.read_bytes() == before
    clinics = (tmp_path / "clinics.csv").rename(tmp_path / result)
    other = written(tmp_path, "april.csv", "A,1,2017-04-03,E01000001,T2,")
    assert price(other, clinics=clinics, out=tmp_path).code == 2
    assert clinics.read_text() == "clinic_id,commissioner\nA,E09000012\n"
