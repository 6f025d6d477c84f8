"""Files made small from public bug reports, and what is right for each.

One table for the offline command and for the service: ``text`` has csv files, ``workbooks`` those
of Excel. Each file stands for its kind (tests/data/odd-files/README.md).
"""

from __future__ import annotations

from tests.odd_files import text, workbooks
from tests.odd_files.odd_file import FOLDER, OddFile

ODD_FILES: tuple[OddFile, ...] = (*text.FILES, *workbooks.FILES)

__all__ = ["FOLDER", "ODD_FILES", "OddFile"]
