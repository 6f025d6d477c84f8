"""Measurements: ``python -m benchmarks [NAME …] [--rows N]``; exit code 1 over any limit.

Without names, those of the calculation; the portal's start the whole service and take minutes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CALCULATION = ("check_speed", "price_speed", "layout_speed", "flow_speed", "report_speed")
PORTAL = ("portal_load", "upload_memory", "event_speed")


def main() -> int:
    arguments = sys.argv[1:]
    names = (*CALCULATION, *PORTAL)
    chosen = [argument for argument in arguments if argument in names] or list(CALCULATION)
    options = [argument for argument in arguments if argument not in names]
    codes = []
    for name in chosen:
        print(f"== {name}", flush=True)
        codes.append(subprocess.call([sys.executable, HERE / f"{name}.py", *options]))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
