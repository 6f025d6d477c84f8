"""Workbooks, and what is right for each."""

from __future__ import annotations

from tests.odd_files.odd_file import OddFile

FILES: tuple[OddFile, ...] = ()
