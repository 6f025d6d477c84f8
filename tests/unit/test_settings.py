"""Settings, and what child processes are told."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import settings as module
from core.settings import PROJECT, SYSTEM_HOME, Settings, default_home, kept_secret, load_settings
from core.user_errors import UserError


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GROUPER_{name.upper()}", raising=False)


def test_the_home_is_in_the_project_where_the_database_can_reach_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "open_to_others", lambda _folder: True)
    assert default_home() == PROJECT / ".grouper"


def test_for_root_a_closed_project_means_the_system_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "open_to_others", lambda _folder: False)
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    assert default_home() == SYSTEM_HOME
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000)
    assert default_home() == PROJECT / ".grouper"


def test_children_read_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Settings(home=tmp_path, prefect_port=4321, s3_secret="quiet", chunk_rows=7)
    for name, value in chosen.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == chosen


def test_children_send_no_telemetry_and_keep_prefect_in_the_home(tmp_path: Path) -> None:
    told = Settings(home=tmp_path, prefect_port=4321).environment()
    assert told["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert told["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert told["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert told["PREFECT_API_URL"] == "http://127.0.0.1:4321/api"


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    assert "quiet" not in repr(Settings(home=tmp_path, secret_key="quiet", s3_secret="quiet"))


def test_a_wrong_setting_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPER_PREFECT_PORT", "eighty")
    with pytest.raises(UserError, match="GROUPER_PREFECT_PORT"):
        load_settings()


def test_a_blank_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPER_DATABASE_URL", "")
    assert load_settings().database_url is None


def test_the_signing_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = Settings(home=tmp_path), Settings(home=tmp_path)
    assert first.signing_key() == second.signing_key()
    assert len(first.signing_key()) > 30
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_those_who_ask_for_a_secret_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: kept_secret(tmp_path / "secret"), range(64)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
