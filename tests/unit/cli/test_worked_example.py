"""The example of docs/tariffs.md comes out as the page says."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from cli import main as command_line

ROOT = Path(__file__).parents[3]


def tables(text: str) -> list[list[dict[str, str]]]:
    """The tables of a page in Markdown, as rows by heading."""
    found: list[list[dict[str, str]]] = []
    headings: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            headings = []
        elif not headings:
            headings = cells
            found.append([])
        elif not set(line) <= {"|", "-"}:
            found[-1].append(dict(zip(headings, cells, strict=True)))
    return found


def write_files(records: list[dict[str, str]], folder: Path) -> list[Path]:
    """The page's records, in the files and rows that it names."""
    headings = [heading for heading in records[0] if heading != "file"]
    files: dict[str, list[str]] = {}
    for record in records:
        name, _, row = record["file"].partition(", row ")
        lines = files.setdefault(name, [",".join(headings)])
        lines.append(",".join(record[heading] for heading in headings))
        assert len(lines) == int(row)
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return [folder / name for name in files]


def test_the_page_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records, _, expected, *_ = tables((ROOT / "docs/tariffs.md").read_text(encoding="utf-8"))
    (tmp_path / "clinics.csv").write_text("clinic_id,commissioner\nZX1-A,E09000030\n")
    files = write_files(records, tmp_path)
    options = {
        "dataset": ROOT / "core/engine/dataset/library/sexual-health.yaml",
        "configuration": ROOT / "core/engine/tariff/library/illustrative-isht-2017-18.yaml",
        "clinics": tmp_path / "clinics.csv",
        "provider": "ZX1",
        "month": "2017-04",
        "out": tmp_path,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    monkeypatch.setattr(sys, "argv", ["grouper", "price", *map(str, files), *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert not ended.value.code
    with (tmp_path / "charges.csv").open(newline="") as lines:
        charges = [{name: row[name] for name in expected[0]} for row in csv.DictReader(lines)]
    assert charges == expected
    with (tmp_path / "errors.csv").open(newline="") as lines:
        (warning,) = csv.DictReader(lines)
    assert [warning[name] for name in ("file", "row", "value", "code")] == [
        "one.csv", "2", "D2B", "code-overwritten",
    ]  # fmt: skip
