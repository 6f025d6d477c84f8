"""What people write is shown as it stands: Streamlit itself draws it, in a real browser."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error

from core.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

PIECES = r"""
![i](//strange.example/i.png) [l](//strange.example) [r]: //strange.example [^1] [x]
https://strange.example/x
www.strange.example
a@strange.example
mailto:a@strange.example
<https://strange.example>
<b>bold</b> <img src=//strange.example>
&lt;b&gt; &#42;
*a* **a** _a_ __a__ ~~a~~ ~a~ `a`
snake_case_name
```
$x^2$ $$x$$
:red[x] :red-badge[x] :material/home: :smile: :streamlit:
# a
- a
+ a
* a
1. a
12) a
> a
===
---
|a|b|
|-|-|
->
<- <-> -- >= <= ~=
--
\
\*
!
()
:
T4A: x
:100: tariff.yaml:12 10:30
""".strip().splitlines()
MARKUP = "img, a[href^=http], a[href^=mailto], strong, em, code, del, li, h1, h2, hr, table, .katex"
SCRIPT = """
import json, pathlib, streamlit as st
from portal.words import plain
for number, text in enumerate(json.loads(pathlib.Path({path!r}).read_text())):
    with st.container(key=f"line-{{number}}"):
        if number % 2:
            st.markdown(plain(text))
        else:
            st.markdown("x " + plain(text))
st.text_input(plain("SHHAPT 1: T4A of snake_case, 100% (a)"))
st.markdown("All is drawn")
"""


@pytest.fixture
def texts() -> list[str]:
    chance = random.Random(7)
    mixed = ["".join(chance.choices([*PIECES, " ", "a", "\n"], k=4)) for _ in range(150)]
    return [text for text in (*PIECES, *PIECES, *mixed) if text.strip()]


@contextmanager
def drawn(script: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    options = [f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    command.append("--browser.gatherUsageStats=false")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield server, f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()


def test_every_text_is_shown_as_it_was_written(
    browser: Browser, tmp_path: Path, texts: list[str]
) -> None:
    path = tmp_path / "texts.json"
    path.write_text(json.dumps(texts))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(path=str(path)))
    with drawn(script) as (server, address):
        page = browser.new_page()
        while not _opens(page, address):
            assert server.poll() is None
        page.get_by_text("All is drawn").wait_for()
        shown = page.locator("[class*=st-key-line-]").all_text_contents()
        drawn_anew = page.locator(".stMain").locator(MARKUP)
        assert drawn_anew.evaluate_all("all => all.map(it => it.outerHTML)") == []
        page.get_by_label("SHHAPT 1: T4A of snake_case, 100% (a)", exact=True).wait_for()
        page.close()
    differing = {
        text: read
        for number, (text, read) in enumerate(zip(texts, shown, strict=True))
        if _words(read).removeprefix("" if number % 2 else "x ") != _words(text)
    }
    assert differing == {}


def _opens(page: Page, address: str) -> bool:
    try:
        page.goto(address)
    except Error:
        return False
    return True


def _words(text: str) -> str:
    """As it is read: no joiners, and white space of any kind is one space."""
    return " ".join(text.replace("\N{WORD JOINER}", "").split())
