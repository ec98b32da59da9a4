"""A real vertebra as tetrahedra for other solvers, against its bricks."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from measure import SHARED, run
from osteoscope.fe.density import Calibration
from osteoscope.fe.export import write_tets_inp
from osteoscope.fe.landmarks import vertebra_marks
from osteoscope.fe.laws import LAWS
from osteoscope.fe.loads import compression
from osteoscope.fe.mesh import Material
from osteoscope.fe.solve import solve
from osteoscope.fe.tet_model import tetrahedra

sys.path.append(str(Path(__file__).parents[1] / "tests" / "fe"))
from real_vertebra import bone_of

Figures = dict[str, Any]
VERTEBRA = SHARED / "ct" / "tptbox_vertebra"
MATERIAL = Material(LAWS["kopperdahl_2002"], Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "bench"))
EDGES, SOLVED = (2.0, 3.0), 5.0


def meshed(edge: float) -> list[float]:
    """Tetrahedra, volume of bone and integral of the modulus over those of bricks of 2 mm."""
    bone = bone_of(VERTEBRA)
    trial = compression(bone, vertebra_marks(bone), MATERIAL, 2.0)
    tets, cell = tetrahedra(bone, MATERIAL, trial, edge), trial.mesh.grid.cell
    volume = (tets.volume * (1 - tets.cement)).sum() / (trial.mesh.share.sum() * cell)
    return [
        len(tets.cells),
        float(volume),
        float((tets.volume * tets.modulus).sum() / (trial.model.modulus.sum() * cell)),
    ]


def pressed() -> list[float]:
    """Nodes, and the elastic force in CalculiX over that of the bricks."""
    bone = bone_of(VERTEBRA)
    trial = compression(bone, vertebra_marks(bone), MATERIAL, 2.0)
    trial = replace(trial, supports=trial.supports.scaled(0.02))
    tets = tetrahedra(bone, MATERIAL, trial, SOLVED)
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "bone.inp"
        write_tets_inp(tets, MATERIAL.law.poisson, deck)
        text = deck.read_text(encoding="ascii").replace("0.05, 1.", "1., 1.").replace("TOTALS=ONLY", "TOTALS=YES")
        deck.write_text(text, encoding="ascii")
        subprocess.run(["ccx", "bone"], cwd=folder, check=True, capture_output=True)
        rows = [line.split() for line in deck.with_suffix(".dat").read_text().splitlines()]
    forces = {int(row[0]): float(row[3]) for row in rows if len(row) == 4 and row[0].isdigit()}
    node, axis, value = tets.held
    total = abs(sum(forces[int(n) + 1] for n in node[(axis == 0) & (value != 0)]))
    return [len(tets.points), total / solve(trial.model, trial.supports).force]


def fe_tets() -> Figures:
    """L3 of TPTBox as tetrahedra of ten nodes against bricks of 2 mm: volume, integral of the modulus, and, where
    CalculiX is installed, the stiffness of the exported file."""
    if not VERTEBRA.is_dir():
        return {"skipped": "reference data ../shared/data is absent"}
    figures: Figures = {}
    for edge in EDGES:
        done = run(meshed, edge)
        count, volume, modulus = done.result
        name = f"edges of {edge:g} mm"
        figures[f"{name}: tetrahedra / s / GB"] = f"{count} / {done.seconds:.0f} / {done.peak_gb:.1f}"
        figures[f"{name}: volume of bone, integral of modulus over bricks'"] = f"{volume:.3f}, {modulus:.3f}"
    if shutil.which("ccx"):
        nodes, ratio = run(pressed).result
        figures[f"edges of {SOLVED:g} mm, {nodes:.0f} nodes: stiffness in CalculiX over bricks'"] = round(ratio, 3)
    return figures


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType({"fe_tets": fe_tets})
