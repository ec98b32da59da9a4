"""How fast a bone is solved, beside CalculiX."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

import fe_tets
from measure import run
from osteoscope.fe.model import Supports, VoxelModel
from osteoscope.fe.plastic import PushOptions, push
from osteoscope.fe.solve import SolveOptions, solve

Figures = dict[str, Any]
# Voxels along an edge of the box: about 90, 310, 1000 and 3000 thousand displacements.
OURS, THEIRS = (32, 50, 74, 108), (32, 50)


def vertebra(n: int) -> tuple[VoxelModel, Supports]:
    """A cylinder of 32 mm: a shell of 12 GPa, trabecular bone of 20 to 3000 MPa, a soft sphere; squeezed by 1 %."""
    z, y, x = (np.indices((n, n, n)) + 0.5) * 32 / n
    radius = np.hypot(y - 16, x - 16)
    wave = 0.5 + 0.5 * np.sin(z * 0.6) * np.cos(x * 1.1)
    modulus = np.where(radius < 14.5, 20 * 150 ** np.round(wave, 1), 12000)
    modulus[(z - 16) ** 2 + (y - 16) ** 2 + (x - 12) ** 2 < 25] = 10
    modulus[radius > 16] = 0
    model = VoxelModel(modulus.astype(np.float32), 0.3, (32 / n,) * 3, (0.008 * modulus).astype(np.float32), "plain")
    ends = np.zeros((2, *model.lattice), bool)
    ends[0, 0] = ends[1, -1] = True
    return model, Supports.at(ends[0] & model.nodes, (0, 0, 0)) + Supports.at(ends[1] & model.nodes, (-0.32, 0, 0))


def ours(n: int) -> list[float]:
    """Seconds, CPU seconds, reaction, iterations, free displacements."""
    model, supports = vertebra(n)
    wall, cpu = time.perf_counter(), time.process_time()
    solution = solve(model, supports, options=SolveOptions(tolerance=1e-6))
    spent = [time.perf_counter() - wall, time.process_time() - cpu]
    return [*spent, solution.force, solution.iterations, 3 * int(model.nodes.sum()) - len(supports.nodes)]


def pushed(n: int) -> list[float]:
    """Seconds, CPU seconds, failure load in N."""
    model, supports = vertebra(n)
    wall, cpu = time.perf_counter(), time.process_time()
    curve = push(model, supports.scaled(1.9), PushOptions())
    return [time.perf_counter() - wall, time.process_time() - cpu, curve.failure_load]


def calculix(n: int) -> list[float]:
    """Seconds, CPU seconds, reaction, peak GB of CalculiX's iterative solver with incomplete Cholesky."""
    model, supports = vertebra(n)
    with tempfile.TemporaryDirectory() as folder:
        _deck(model, supports, Path(folder) / "bone.inp")
        wall = time.perf_counter()
        subprocess.run(["ccx", "bone"], cwd=folder, check=True, capture_output=True)
        wall = time.perf_counter() - wall
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        total = [line for line in (Path(folder) / "bone.dat").read_text().splitlines() if line.strip()][-1]
    return [wall, used.ru_utime + used.ru_stime, abs(float(total.split()[0])), used.ru_maxrss / 1e6]


def _deck(model: VoxelModel, supports: Supports, path: Path) -> None:
    number = np.arange(1, np.prod(model.lattice) + 1).reshape(model.lattice)
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    with path.open("w") as deck:
        deck.write("*NODE\n")
        nodes = np.argwhere(model.nodes)
        np.savetxt(deck, np.column_stack([number[model.nodes], nodes * model.spacing]), "%d,%.7g,%.7g,%.7g")
        for group, modulus in enumerate(np.unique(model.modulus[model.modulus > 0])):
            places = np.argwhere(model.modulus == modulus)
            ids = np.ravel_multi_index(tuple(places.T), model.modulus.shape) + 1
            table = np.column_stack([ids, *(number[tuple((places + corner).T)] for corner in corners)])
            deck.write(f"*ELEMENT,TYPE=C3D8,ELSET=G{group}\n")
            np.savetxt(deck, table, "%d", ",")
            deck.write(f"*MATERIAL,NAME=M{group}\n*ELASTIC\n{modulus:.7g},{model.poisson}\n")
            deck.write(f"*SOLID SECTION,ELSET=G{group},MATERIAL=M{group}\n")
        moved = number[-1][model.nodes[-1]]
        deck.write("*NSET,NSET=TOP\n" + "\n".join(map(str, moved)) + "\n")
        deck.write("*STEP\n*STATIC,SOLVER=ITERATIVE CHOLESKY\n*BOUNDARY\n")
        places = number[tuple(supports.nodes.T)]
        np.savetxt(
            deck, np.column_stack([places, supports.axis + 1, supports.axis + 1, supports.value]), "%d,%d,%d,%.7g"
        )
        deck.write("*NODE PRINT,NSET=TOP,TOTALS=ONLY\nRF\n*END STEP\n")


def fe_speed() -> Figures:
    """A squeezed vertebra-like cylinder: our multigrid on one core, CalculiX with iterative Cholesky, same voxels."""
    figures: Figures = {}
    run(ours, 16)  # compiles
    for n in OURS:
        done = run(ours, n)
        seconds, cpu, force, iterations, size = done.result
        name = f"{size / 1e3:.0f} thousand free displacements"
        figures[f"{name}: ours, s / CPU s / GB / iterations"] = (
            f"{seconds:.1f} / {cpu:.1f} / {done.peak_gb:.2f} / {iterations:.0f}"
        )
        if n in THEIRS and shutil.which("ccx"):
            seconds, their_cpu, their_force, peak = run(calculix, n).result
            figures[f"{name}: CalculiX, s / CPU s / GB"] = f"{seconds:.1f} / {their_cpu:.1f} / {peak:.2f}"
            figures[f"{name}: CPU seconds of CalculiX over ours"] = round(their_cpu / cpu, 1)
            figures[f"{name}: reaction of ours over CalculiX's"] = round(force / their_force, 6)
    return figures


def fe_push() -> Figures:
    """The same cylinder pushed elastoplastically to 1.9 % of its height: seconds to the failure load."""
    run(pushed, 16)
    done = run(pushed, 32)
    seconds, cpu, load = done.result
    return {
        "s": round(seconds, 1),
        "CPU s": round(cpu, 1),
        "peak GB": round(done.peak_gb, 2),
        "failure load, N": round(load),
    }


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType(
    {**{row.__name__: row for row in (fe_speed, fe_push)}, **fe_tets.ROWS}
)
