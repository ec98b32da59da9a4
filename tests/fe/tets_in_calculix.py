"""Tetrahedra solved by CalculiX."""

from __future__ import annotations

import subprocess
from pathlib import Path

from osteoscope.fe.export import write_tets_inp
from osteoscope.fe.tet_model import TetModel


def force_in_calculix(tets: TetModel, folder: Path) -> float:
    """Force in N at the end of the push, in one elastic step."""
    write_tets_inp(tets, 0.3, folder / "a.inp")
    text = (folder / "a.inp").read_text(encoding="ascii")
    (folder / "a.inp").write_text(text.replace("0.05, 1.", "1., 1.").replace("TOTALS=ONLY", "TOTALS=YES"))
    subprocess.run(["ccx", "a"], cwd=folder, check=True, capture_output=True, timeout=240)
    rows = [line.split() for line in (folder / "a.dat").read_text().splitlines()]
    forces = {int(r[0]): float(r[3]) for r in rows if len(r) == 4 and r[0].isdigit()}
    node, axis, value = tets.held
    return abs(sum(forces[int(n) + 1] for n in node[(axis == 0) & (value != 0)]))
