"""The plan of the house is what the code says: rooms, layers, sizes, cited documents."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/small.yaml"
HOUSE = (ROOT / "docs/house.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
SOURCES = [
    path
    for room in ("core", "tasks", "flows", "deployments", "portal", "cli")
    for path in (ROOT / room).rglob("*.py")
]


def contract(name: str) -> list[str]:
    (found,) = (one for one in CONTRACTS["contracts"] if one["name"] == name)
    return list(found["layers"])


def rows_of(heading: str) -> list[str]:
    """The rooms that a table of docs/house.md lists, in its order; ``a | b`` in one row."""
    section = HOUSE.split(f"# {heading}\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    return [" | ".join(re.findall(r"`([^`]+)`", cell)) for cell in first_cells]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("The house", "the faces stand on deployments, these on tasks, these on core"),
        ("The rooms of core", "the rooms of core"),
        ("The rooms of the engine", "the rooms of the engine"),
    ],
)
def test_the_tables_of_rooms_are_the_layers_of_the_contract(heading: str, name: str) -> None:
    assert rows_of(heading) == contract(name)


def test_no_folder_of_core_has_more_than_twenty_modules() -> None:
    folders = {path.parent for path in SOURCES if path.is_relative_to(ROOT / "core")}
    sizes = {
        str(folder.relative_to(ROOT)): len(
            [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        )
        for folder in folders
        if folder.name != "versions"  # migrations of tables are a sequence
    }
    assert not {folder: size for folder, size in sizes.items() if size > 20}


def test_documents_that_the_code_cites_exist() -> None:
    missing = {
        f"{path.relative_to(ROOT)}: {cited}"
        for path in SOURCES
        for cited in re.findall(r"docs/[\w/-]+(?:\.md)?", path.read_text(encoding="utf-8"))
        if not list(ROOT.glob(f"{cited.removesuffix('.md')}*"))
    }
    assert not missing


def test_code_cites_no_document_from_elsewhere() -> None:
    elsewhere = re.compile(r"\b(?:design|domain|shared)/|\(architecture\b")
    found = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if elsewhere.search(line)
    }
    assert not found


def test_files_that_the_house_names_exist() -> None:
    named = set(re.findall(r"`((?:core|tasks|flows|deployments|portal|cli)/[\w/.-]+)`", HOUSE))
    assert named
    assert not {name for name in named if not (ROOT / name).exists()}


def test_checking_a_file_loads_neither_drivers_nor_settings(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['grouper', 'check', '{DATA}', '--out', '{tmp_path}']\n"
        "sys.argv += ['--dataset', 'sexual-health']\n"
        "from cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "unwanted = {'sqlalchemy', 'psycopg', 'boto3', 'httpx', 'httpx2', 'core.settings',"
        " 'core.database', 'core.files', 'prefect', 'streamlit'} & set(sys.modules)\n"
        "assert 'core.engine.offline.checking' in sys.modules\n"
        "assert not unwanted, unwanted\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, capture_output=True)
