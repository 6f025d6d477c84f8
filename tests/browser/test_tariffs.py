"""An administrator brings a tariff in through a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from core.configurations.catalogue import all_revisions
from tests.browser.conftest import SignIn
from tests.browser.walking import click, fill, go_to

if TYPE_CHECKING:
    from sqlalchemy import Engine

TARIFF = "core/engine/tariff/library/illustrative-isht-2017-18.yaml"


def test_a_revision_is_looked_at_and_brought_in(
    sign_in: SignIn, populated: Engine, tmp_path: Path
) -> None:
    with populated.connect() as connection:
        before = all_revisions(connection)
    page = sign_in("erin@grouper.example")
    go_to(page, "Configurations")
    page.get_by_text("Bring in a tariff").click()
    chooser = page.get_by_label("Tariffs (YAML)")
    too_big = tmp_path / "big.yaml"
    too_big.write_bytes(b"#" * 600_000)
    chooser.set_input_files(too_big)
    expect(page.get_by_text("These files are too big")).to_be_visible()
    bomb = tmp_path / "bomb.yaml"
    bomb.write_text("a: " + "[" * 100_000)
    chooser.set_input_files(bomb)
    click(page, "What would change")
    expect(page.get_by_text("its parts lie more than 100 deep in each other")).to_be_visible()
    chooser.set_input_files(TARIFF)
    fill(page, "It holds from", "2018-03")
    fill(page, "Why", "A test.")
    click(page, "What would change")
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    with populated.connect() as connection:
        assert len(all_revisions(connection)) == len(before)
