"""Signed links: what is in them, when they end, and that they cannot be altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.files import links
from core.files.links import Link, LinkExpired, LinkInvalid, make_link, read_link
from core.settings import Settings, use_settings


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path) -> Iterator[None]:
    use_settings(Settings(home=tmp_path, link_seconds=100))
    yield
    use_settings(None)


def test_a_link_gives_back_what_it_was_made_for() -> None:
    token = make_link("reports/7.xlsx", "April – Größe.xlsx", user_id=42)
    assert read_link(token) == Link("reports/7.xlsx", "April – Größe.xlsx", 42)


@pytest.mark.parametrize(("seconds", "good"), [(None, 99), (10, 9)])
def test_a_link_ends_by_itself(
    seconds: int | None, good: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links.time, "time", lambda: 1000.0)
    token = make_link("a", "a", 1, seconds)
    monkeypatch.setattr(links.time, "time", lambda: 1000.0 + good)
    assert read_link(token).user_id == 1
    monkeypatch.setattr(links.time, "time", lambda: 1001.0 + good)
    with pytest.raises(LinkExpired, match="expired"):
        read_link(token)


def test_any_change_of_a_link_is_noticed() -> None:
    token = make_link("a", "a", 1)
    for place in range(len(token) - 1):  # the very last letter holds bits that are not read
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(LinkInvalid):
            read_link(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("token", ["", "x", ".", "ümlaut", "a.b.c", "W10.x"])
def test_what_is_no_link_is_refused(token: str) -> None:
    with pytest.raises(LinkInvalid, match="not valid"):
        read_link(token)


def test_a_link_made_with_another_key_is_refused(tmp_path: Path) -> None:
    token = make_link("a", "a", 1)
    use_settings(Settings(home=tmp_path / "other"))
    with pytest.raises(LinkInvalid):
        read_link(token)
