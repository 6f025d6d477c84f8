"""All measurements: ``python -m benchmarks [NAME …] [--rows N]``; exit code 1 over any limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("check_speed", "price_speed", "flow_speed", "report_speed")


def main() -> int:
    arguments = sys.argv[1:]
    chosen = [argument for argument in arguments if argument in NAMES] or list(NAMES)
    options = [argument for argument in arguments if argument not in NAMES]
    codes = []
    for name in chosen:
        print(f"== {name}", flush=True)
        codes.append(subprocess.call([sys.executable, HERE / f"{name}.py", *options]))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
