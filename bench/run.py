"""The benchmark: `python bench/run.py [row ...]` writes bench/results.json and bench/RESULTS.md.

Every figure that the README quotes is made here. Rows whose reference data are absent say so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import adaptation
import ct_network
import ct_two_dates
import engines
import fe
import fe_strength
import identity
import mibg
import pixels
import quality
import review
import review_page
import shift
import speed

HERE = Path(__file__).parent
Figures = Mapping[str, str | float | int]
ROWS: Mapping[str, Callable[[], Figures]] = {
    **speed.ROWS,
    **engines.ROWS,
    **quality.ROWS,
    **ct_network.ROWS,
    **ct_two_dates.ROWS,
    **mibg.ROWS,
    **shift.ROWS,
    **pixels.ROWS,
    **identity.ROWS,
    **adaptation.ROWS,
    **review.ROWS,
    **review_page.ROWS,
    **fe.ROWS,
    **fe_strength.ROWS,
}


def main() -> None:
    """Run the chosen rows (default: all) and keep the figures of the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], help="default: all")
    chosen = parser.parse_args().rows or list(ROWS)
    store = HERE / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    for name in chosen:
        print(f"{name} ...", flush=True)
        results[name] = {**ROWS[name](), "date": date.today().isoformat()}
        print(f"  {results[name]}", flush=True)
        store.write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "RESULTS.md").write_text(_page(results))


def _page(results: Mapping[str, Figures]) -> str:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    head = f"# Results\n\nMade by `python bench/run.py` on {machine}. What each row does is in its docstring.\n"
    parts = [head]
    for name, act in ROWS.items():
        figures = results.get(name, {"not run": ""})
        purpose = " ".join((act.__doc__ or "").split())
        rows = "\n".join(f"| {key} | {value} |" for key, value in figures.items())
        parts.append(f"## {name}\n\n{purpose}\n\n| figure | value |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
