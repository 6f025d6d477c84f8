"""What docs/running.md tells people to type is typed here, and its settings are all there are."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cli.main import grouper
from core.accounts.organisations import organisations
from core.database import tables
from core.database.engine import engine
from core.settings import PREFIX, PROJECT, Settings, use_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.database.embedded import EmbeddedPostgres
    from tests.service.month import Service

DOC = (PROJECT / "docs/running.md").read_text()


def block(heading: str, language: str) -> str:
    """The first block of code under a heading."""
    return blocks(heading, language)[0]


def blocks(heading: str, language: str) -> list[str]:
    """Every block of code under a heading."""
    section = DOC.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found, f"no block of {language} under {heading}"
    return found


def typed(commands: str, database: Engine, postgres: EmbeddedPostgres, **variables: str) -> str:
    """Runs the commands as in the project's folder, after the shell's `export` lines."""
    exports = block("A shell on the database", "sh").partition("psql ")[0]
    of_the_test = f"export PGDATABASE={database.url.database}\n"
    home = str(postgres.folder.parent)
    done = subprocess.run(
        ["bash", "-euc", exports + of_the_test + commands],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "GROUPER_HOME": home, **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_setting_is_listed_in_its_order_and_no_other() -> None:
    listed = re.findall(rf"(?m)^\| `{PREFIX}(\w+)` \|", DOC)
    assert [name.lower() for name in listed] == list(Settings.model_fields)


def test_defaults_are_those_of_the_code() -> None:
    rows = dict(re.findall(rf"(?m)^\| `{PREFIX}(\w+)` \| `([^`]+)` \|", DOC))
    defaults = {
        name.upper(): str(field.default)
        for name, field in Settings.model_fields.items()
        if field.default not in (None, ...) and not field.default_factory
    }
    assert rows == defaults


def test_organisations_and_people_are_brought_in_as_it_says(
    database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of the page, each as it stands there."""
    monkeypatch.setenv("GROUPER_DATABASE_URL", database_url)
    engine.cache_clear()
    commands = blocks("First steps", "sh")[-1].splitlines()
    assert len(commands) == 7
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "grouper"
        done = CliRunner().invoke(grouper, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    engine().dispose()
    engine.cache_clear()
    use_settings(None)
    with database.connect() as connection:
        [provider] = organisations(connection, "provider")
        assert provider.code == "ZX1"
        roles = sa.select(tables.memberships.c.role).order_by(tables.memberships.c.user_id)
        assert connection.execute(roles).scalars().all() == ["provider", "administrator"]
        assert connection.execute(sa.select(tables.clinics.c.commissioner)).scalar_one() == (
            "E09000030"
        )


def test_a_shell_on_the_database_opens(database: Engine, postgres: EmbeddedPostgres) -> None:
    command = "psql" + block("A shell on the database", "sh").partition("psql")[2]
    assert typed(command, database, postgres).split() == ["count", "-------", "0", "(1", "row)"]


def test_what_was_backed_up_is_restored(
    service: Service, postgres: EmbeddedPostgres, tmp_path: Path, template: str
) -> None:
    from core.database.engine import with_driver
    from tests.conftest import fresh_database
    from tests.service.month import visit

    month = service.month()
    service.ready(month, visit(1, "T2"), visit(2, "T4"))
    service.run(month, "final")
    home = postgres.folder.parent
    (home / "files").mkdir(exist_ok=True)
    (home / "secret-key").touch()
    variables = {"BACKUP": str(tmp_path)}
    typed(block("Back up", "sh"), service.engine, postgres, **variables)
    assert {"grouper.dump", "files", "secret-key"} <= {path.name for path in tmp_path.iterdir()}
    with fresh_database(postgres, "restored_", template=template) as url:
        restored = sa.create_engine(with_driver(url))
        typed(block("Restore", "sh"), restored, postgres, **variables)
        assert contents(restored) == contents(service.engine)
        restored.dispose()


def contents(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    names = sa.inspect(engine).get_table_names()
    with engine.connect() as connection:
        counts = {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(sa.table(name))
            ).scalar_one()
            for name in names
        }
    assert counts["charges"] == counts["records_sexual_health"] == 2
    return counts
