"""The same list of errors, written by hand in polars for this one file: the yardstick.

No readable reasons, no rows of quoted line breaks, no other encodings: what a careful analyst
would write for a clean csv. Usage: python check_by_polars.py FILE SPEC AREAS OUT
"""

import sys
from pathlib import Path

import polars as pl
import yaml


def main(file: str, specification: str, areas: str, out: str) -> None:
    spec = yaml.load(Path(specification).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    lsoas = pl.read_csv(areas, columns=["code"])["code"].unique()
    pseudo = pl.Series(["X99999999", "X99999998", *(f"{c}99999999" for c in "SNLMZ")])
    lsoas = pl.concat([lsoas, pseudo])
    frame = pl.read_csv(file, infer_schema=False).with_row_index("row", offset=2)
    findings = []
    for order, (column, field) in enumerate(columns_of(spec)):
        if column in frame.columns:
            rules = rules_of(column, field, spec, lsoas)
            findings += [listed(frame, column, order, code, wrong) for code, wrong in rules]
    table = pl.concat(pl.collect_all(findings)).sort("row", "order").drop("order")
    table.write_csv(out)


def columns_of(spec):
    for field in spec["fields"]:
        slots = field.get("repeat")
        names = [f"{field['name']} {n}" for n in range(1, slots + 1)] if slots else [field["name"]]
        for name in names:
            yield name, field


def rules_of(column, field, spec, lsoas):
    value = pl.col(column)
    kind = field.get("type", "text")
    rules = []
    if field.get("required"):
        rules.append(("missing-value", value.is_null() | (value == "")))
    if kind == "code":
        codes = list(spec["code_lists"][field["codes"]])
        bare = value.str.to_uppercase().str.replace("^0+([0-9]+)$", "$1")
        valid = {code.upper() for code in codes} | {code.lstrip("0") for code in codes}
        rules.append(("unknown-code", value.is_not_null() & ~bare.is_in(list(valid))))
    if kind == "date":
        day = value.str.to_date("%Y-%m-%d", strict=False)
        iso = value.str.contains(r"^\d{4}-\d{2}-\d{2}$")
        rules.append(("bad-date", value.is_not_null() & (day.is_null() | ~iso)))
    if kind == "integer":
        number = value.cast(pl.Int64, strict=False)
        rules.append(("bad-number", value.is_not_null() & number.is_null()))
        rules.append(("out-of-range", ~number.is_between(field["minimum"], field["maximum"])))
    if field.get("max_length"):
        rules.append(("too-long", value.str.len_chars() > field["max_length"]))
    if field.get("pattern"):
        rules.append(("bad-pattern", ~value.str.contains(f"^(?:{field['pattern']})$")))
    if kind == "lsoa":
        valid = value.str.to_uppercase().is_in(lsoas.implode())
        rules.append(("unknown-lsoa", value.is_not_null() & ~valid))
    return rules


def listed(frame, column, order, code, wrong):
    return (
        frame.lazy()
        .filter(wrong)
        .select(
            "row",
            pl.lit(column).alias("field"),
            pl.col(column).alias("value"),
            pl.lit(code).alias("code"),
            pl.lit(order).alias("order"),
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
