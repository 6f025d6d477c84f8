from __future__ import annotations

import pyarrow as pa
import pytest

from core.engine.calculation.buckets import BUCKETS
from core.engine.calculation.episodes import Merged, bucket_of, merge_records
from core.engine.dataset.specification import Specification

Row = dict[str, str | int | None]
KEY: Row = {"Clinic ID": "RBC01", "Patient ID": "24681357", "Attendance Date": "2017-04-01"}


def records(*rows: Row) -> pa.Table:
    """Rows as the reader leaves them; ``file`` is 0 unless a row tells it."""
    names = list({name: None for row in rows for name in row})
    columns: dict[str, pa.Array] = {
        name: pa.array([row.get(name) for row in rows], pa.string()).dictionary_encode()
        for name in names
        if name != "file"
    }
    columns["file"] = pa.array([row.get("file", 0) for row in rows], pa.int32())
    columns["row"] = pa.array(range(2, len(rows) + 2), pa.int32())
    return pa.table(columns)


def united(specification: Specification) -> Specification:
    fields = (
        field.model_copy(update={"on_conflict": "union", "repeat": 2})
        if field.name == "SHHAPT"
        else field
        for field in specification.fields
    )
    # not model_copy: it takes along what was worked out from the old fields
    own = {name: getattr(specification, name) for name in Specification.model_fields}
    return Specification.model_validate(own | {"fields": tuple(fields)})


def filled(merged: Merged) -> list[Row]:
    """What the episodes hold beside their key."""
    rows = merged.episodes.drop_columns([*merged.key_columns, "records"]).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def lost(merged: Merged) -> list[tuple[int, int, str, str, str]]:
    names = ("file", "row", "field", "value", "by")
    return [tuple(row[name] for name in names) for row in merged.overwritten.to_pylist()]


def test_the_later_code_of_a_slot_wins_and_the_earlier_is_lost(
    specification: Specification,
) -> None:
    merged = merge_records(
        records(KEY | {"SHHAPT 1": "T1"}, KEY | {"SHHAPT 1": "T2", "SHHAPT 2": "C4", "file": 1}),
        specification,
    )
    assert filled(merged) == [{"SHHAPT 1": "T2", "SHHAPT 2": "C4"}]
    assert lost(merged) == [(0, 2, "SHHAPT 1", "T1", "T2")]
    assert merged.episodes["records"].to_pylist() == [2]


def test_blanks_never_overwrite(specification: Specification) -> None:
    merged = merge_records(
        records(
            KEY | {"SHHAPT 1": "T4", "SHHAPT 2": "D2B"},
            KEY | {"SRH Care Activity 1": "1"},
            KEY | {"SHHAPT 1": "T4", "SHHAPT 2": "C4"},
        ),
        specification,
    )
    assert filled(merged) == [{"SHHAPT 1": "T4", "SHHAPT 2": "C4", "SRH Care Activity 1": "1"}]
    assert lost(merged) == [(0, 2, "SHHAPT 2", "D2B", "C4")]


def test_a_code_that_moves_to_another_slot_is_not_lost(specification: Specification) -> None:
    merged = merge_records(
        records(
            KEY | {"SHHAPT 1": "T1", "SHHAPT 2": "C4"}, KEY | {"SHHAPT 1": "C4", "SHHAPT 2": "T1"}
        ),
        specification,
    )
    assert lost(merged) == []


def test_a_code_written_over_twice_is_lost_with_the_one_after_it(
    specification: Specification,
) -> None:
    slots = [KEY | {"SHHAPT 1": code} for code in ("T1", "T2", "T4")]
    merged = merge_records(records(*slots), specification)
    assert lost(merged) == [(0, 2, "SHHAPT 1", "T1", "T2"), (0, 3, "SHHAPT 1", "T2", "T4")]


def test_values_that_are_no_codes_change_without_a_warning(specification: Specification) -> None:
    merged = merge_records(records(KEY | {"Age": "20"}, KEY | {"Age": "21"}), specification)
    assert filled(merged) == [{"Age": "21"}]
    assert lost(merged) == []


@pytest.mark.parametrize(
    "other",
    [{"Clinic ID": "RBC02"}, {"Patient ID": "1"}, {"Attendance Date": "2017-04-02"}],
)
def test_another_clinic_patient_or_date_is_another_episode(
    other: Row, specification: Specification
) -> None:
    merged = merge_records(
        records(KEY | {"SHHAPT 1": "T1"}, KEY | other | {"SHHAPT 1": "T2"}), specification
    )
    assert filled(merged) == [{"SHHAPT 1": "T1"}, {"SHHAPT 1": "T2"}]


def test_united_codes_keep_their_first_order_and_may_outnumber_the_slots(
    specification: Specification,
) -> None:
    merged = merge_records(
        records(
            KEY | {"SHHAPT 1": "T4", "SHHAPT 2": "D2B"},
            KEY | {"SHHAPT 2": "T4"},
            KEY | {"SHHAPT 1": "C4", "SHHAPT 2": "D2B", "file": 1},
            KEY | {"Patient ID": "other", "SHHAPT 2": "T1"},
        ),
        united(specification),
    )
    assert merged.slots["SHHAPT"] == ("SHHAPT 1", "SHHAPT 2", "SHHAPT 3")
    assert filled(merged) == [
        {"SHHAPT 1": "T4", "SHHAPT 2": "D2B", "SHHAPT 3": "C4"},
        {"SHHAPT 2": "T1"},
    ]
    assert lost(merged) == []


def test_no_records_make_no_episodes(specification: Specification) -> None:
    for one in (specification, united(specification)):
        merged = merge_records(records(KEY).slice(0, 0), one)
        assert merged.episodes.num_rows == merged.overwritten.num_rows == 0


def test_columns_may_be_plain_text_in_chunks(specification: Specification) -> None:
    rows = records(KEY | {"SHHAPT 1": "T1"}, KEY | {"SHHAPT 1": "T2"})
    plain = pa.table(
        [
            column if pa.types.is_integer(column.type) else column.cast(pa.string())
            for column in rows.columns
        ],
        rows.column_names,
    )
    cut = pa.concat_tables([plain.slice(0, 1), plain.slice(1)])
    assert merge_records(cut, specification).episodes == merge_records(rows, specification).episodes


def test_the_bucket_of_an_episode_is_the_same_everywhere(specification: Specification) -> None:
    """The numbers are stored beside records, so they are written down here."""
    other = KEY | {"Patient ID": "é"}
    assert bucket_of(records(KEY, other, KEY), specification).tolist() == BUCKETS_STORED
    turned = bucket_of(records(other, KEY | {"SHHAPT 1": "T1"}), specification)
    assert turned.tolist() == BUCKETS_STORED[1::-1]


BUCKETS_STORED = [554, 819, 554]


def test_buckets_are_filled_evenly(specification: Specification) -> None:
    rows = [KEY | {"Patient ID": str(number)} for number in range(40_000)]
    found = bucket_of(records(*rows), specification)
    assert found.min() >= 0 and found.max() < BUCKETS
    counts = [int((found // 64 == part).sum()) for part in range(16)]
    assert max(counts) < 1.1 * min(counts)


def test_the_parts_of_a_key_do_not_run_together(specification: Specification) -> None:
    first = KEY | {"Clinic ID": "A1", "Patient ID": "2"}
    second = KEY | {"Clinic ID": "A", "Patient ID": "12"}
    swapped = KEY | {"Clinic ID": "2", "Patient ID": "A1"}
    assert len(set(bucket_of(records(first, second, swapped), specification).tolist())) == 3
