"""All gates, in the order that fails soonest: `python scripts/check.py`. Exit code 0 when all pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

GATES: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
    ("mypy",),
    ("pytest", "--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "30"),
)


def main() -> int:
    """Run every gate and say at the end which failed."""
    failed = []
    # Two processes share two cores: threads of one would wait for those of the other.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for gate in GATES:
        print("\n==>", *gate, flush=True)
        if subprocess.run([BIN / gate[0], *gate[1:]], cwd=ROOT, env=environment, check=False).returncode != 0:
            failed.append(" ".join(gate))
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall gates passed", flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
