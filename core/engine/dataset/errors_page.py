"""docs/errors.md: the catalogue of codes, printed.

``python -m core.engine.dataset.errors_page > docs/errors.md`` writes the page, or ``make docs``.
"""

from __future__ import annotations

import sys

from core.engine.dataset.problems import CODES, Code

_HEAD = """# What a check can find

Every finding has one of these codes; there are no others but the names of the data set's own
checks across fields, which say in their own message what they expect. An error keeps its record
out of the calculation, and a submission waits until it is mended; a warning does neither.

`errors.csv` has a line for each finding: `file,row,field,value,code,severity,message`. `row` is the
row as a spreadsheet shows it, the headings being row 1; it is empty where the finding is about the
file as a whole. `field` is the column of the standard layout, `value` what was uploaded.

This page is printed from the catalogue in `core/engine/dataset/problems.py`.
"""


def errors_page() -> str:
    """The page as Markdown."""
    errors = [_section(code) for code in CODES if code.severity == "error"]
    warnings = [_section(code) for code in CODES if code.severity == "warning"]
    return "\n".join([_HEAD, "## Errors", "", *errors, "## Warnings", "", *warnings])


def _section(code: Code) -> str:
    says = [f"- “{text}”" for text in (code.message, *code.wordings.values())]
    return "\n".join(
        [
            f"### `{code.name}`",
            "",
            f"{code.title}.",
            "",
            f"- Example: {code.example}",
            f"- How to mend it: {code.mend}",
            "- What it says, with the place and the value filled in:",
            *(f"  {line}" for line in says),
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(errors_page())
