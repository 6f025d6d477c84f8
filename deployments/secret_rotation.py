"""Secrets of an installation: which there are, and how each gets a new value while all runs.

A new value is a new file in the home. The supervisor sees it within a second and restarts what must
read it again, one after the other; what reads at each request needs nothing.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from core.settings import (
    DATABASE_ROLES_KEY,
    HOOK_KEY,
    PREFECT_PASSWORD,
    PREFIX,
    SECRET_KEY,
    Settings,
    replace_secret,
)
from core.user_errors import UserError
from deployments.prefect_login import former_password


@dataclass(frozen=True)
class Secret:
    """A secret that the installation made itself; ``setting`` is where one may be given instead."""

    file: str
    setting: str
    effect: str


SECRETS: dict[str, Secret] = {
    "signing-key": Secret(
        SECRET_KEY, "secret_key", "everybody signs in again; links of before do not open any more"
    ),
    "prefect-password": Secret(
        PREFECT_PASSWORD, "prefect_password", "operators sign in to Prefect's pages again"
    ),
    "hook-key": Secret(HOOK_KEY, "hook_key", "Prefect's server signs with it from now on"),
    "database-roles": Secret(
        DATABASE_ROLES_KEY, "database_roles_key", "the portal connects anew; pages load again"
    ),
}
"""By name. The effect is what people notice."""


def rotate(settings: Settings, name: str) -> Secret:
    """Replaces the value of a secret; raises ``UserError`` where a setting holds it."""
    secret = SECRETS[name]
    if getattr(settings, secret.setting) is not None:
        variable = PREFIX + secret.setting.upper()
        raise UserError(f"{variable} is set: change it there, and start the services again")
    if name == "prefect-password":
        if settings.prefect_api_url is not None:
            raise UserError(
                "somebody else runs Prefect's server: change its password there, and set "
                "GROUPER_PREFECT_PASSWORD"
            )
        settings.prefect_login()  # makes the first one, where nothing was started yet
        _keep_former(settings)
    replace_secret(settings.home / secret.file)
    return secret


def _keep_former(settings: Settings) -> None:
    """Runs at work were started with the password of before."""
    kept, former = settings.home / PREFECT_PASSWORD, former_password(settings)
    fresh = former.with_suffix(".new")
    fresh.touch(mode=0o600)
    shutil.copyfile(kept, fresh)
    fresh.replace(former)


def stamps(settings: Settings) -> dict[str, int]:
    """When each secret was last changed, for whoever watches."""
    return {name: _stamp(settings.home / secret.file) for name, secret in SECRETS.items()}


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
