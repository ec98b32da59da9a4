"""Copy the figures of `bench/results.json` onto the card of the shipped planar model: python bench/card.py."""

from __future__ import annotations

import json
from pathlib import Path

import osteoscope.find

HERE = Path(__file__).parent
# Row of the bench, figure in it, and what the card calls it.
FIGURES = (
    ("mibg_scores", "total: ICC(2,1)", "SIOPEN total, ICC(2,1), 100 simulated children"),
    ("mibg_scores", "segment: quadratic kappa", "SIOPEN level, quadratic kappa"),
    ("mibg_scores", "segment: exact; within 1", "SIOPEN level, exact; within 1"),
    ("mibg_scores", "one visible focus not called 0", "one visible focus not called 0"),
    ("mibg_scores", "total: bias above 30", "bias of totals above 30"),
    ("mibg_phantom", "total: ICC(2,1)", "SIOPEN total, ICC(2,1), children made of voxel phantoms"),
)


def main() -> None:
    """Write the figures of the network, each with the command that makes it."""
    results = json.loads((HERE / "results.json").read_text())
    path = Path(osteoscope.find.__path__[0]) / "models" / "mibg_planar.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["figures"] = {
        name: f"{results[row][f'network, {figure}']}: python bench/run.py {row}" for row, figure, name in FIGURES
    }
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
