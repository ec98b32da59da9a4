"""The same voxels through CalculiX."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.fe.model import Supports, VoxelModel
from osteoscope.fe.solve import solve

# Corners of CalculiX's C3D8 in the order of numpy.ndindex(2, 2, 2), so that z, y, x of ours are its first three axes.
CORNERS = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]


def deck(model: VoxelModel, supports: Supports, kind: str) -> str:
    """An input deck with one material per modulus, whose axes 1, 2, 3 are z, y, x."""
    number = np.arange(1, np.prod(model.lattice) + 1).reshape(model.lattice)
    lines = ["*NODE"]
    for node in np.argwhere(model.nodes):
        z, y, x = node * model.spacing
        lines.append(f"{number[tuple(node)]},{z:.9g},{y:.9g},{x:.9g}")
    for group, modulus in enumerate(np.unique(model.modulus[model.modulus > 0])):
        lines.append(f"*ELEMENT,TYPE={kind},ELSET=G{group}")
        for place in np.argwhere(model.modulus == modulus):
            corners = [str(number[tuple(place + corner)]) for corner in CORNERS]
            lines.append(f"{np.ravel_multi_index(tuple(place), model.modulus.shape) + 1}," + ",".join(corners))
        lines += [f"*MATERIAL,NAME=M{group}", "*ELASTIC", f"{modulus:.9g},{model.poisson}"]
        lines.append(f"*SOLID SECTION,ELSET=G{group},MATERIAL=M{group}")
    lines += ["*NSET,NSET=ALL"] + [str(n) for n in number[model.nodes]]
    lines += ["*STEP", "*STATIC", "*BOUNDARY"]
    for node, axis, value in zip(supports.nodes, supports.axis, supports.value, strict=True):
        lines.append(f"{number[tuple(node)]},{axis + 1},{axis + 1},{value:.9g}")
    return "\n".join([*lines, "*NODE PRINT,NSET=ALL", "U", "*END STEP", ""])


def calculix(model: VoxelModel, supports: Supports, kind: str, folder: Path) -> NDArray[np.float64]:
    """Displacements [nz+1, ny+1, nx+1, 3]."""
    program = shutil.which("ccx")
    if program is None:
        pytest.skip("CalculiX is absent; install the Debian package calculix-ccx")
    (folder / "bone.inp").write_text(deck(model, supports, kind))
    subprocess.run([program, "bone"], cwd=folder, check=True, capture_output=True, timeout=120)
    u = np.zeros((int(np.prod(model.lattice)), 3))
    for line in (folder / "bone.dat").read_text().splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[0].isdigit():
            u[int(parts[0]) - 1] = [float(part) for part in parts[1:]]
    return u.reshape(*model.lattice, 3)


@pytest.mark.parametrize(("element", "kind"), [("plain", "C3D8"), ("incompatible", "C3D8I")])
def test_a_bone_with_a_soft_hole_moves_as_in_calculix(element: str, kind: str, tmp_path: Path) -> None:
    z, y, x = np.indices((10, 9, 9))
    radius = np.hypot(y - 4, x - 4)
    modulus = np.where(radius < 4.6, np.where(radius > 3.5, 12000, 400), 0).astype(np.float32)
    modulus[(z - 5) ** 2 + (y - 4) ** 2 + (x - 3) ** 2 < 5] = 10
    chosen: dict[str, VoxelModel] = {
        "plain": VoxelModel(modulus, 0.3, (1.0, 0.9, 1.2), element="plain"),
        "incompatible": VoxelModel(modulus, 0.3, (1.0, 0.9, 1.2)),
    }
    model = chosen[element]
    ends = np.zeros((2, *model.lattice), bool)
    ends[0, 0] = ends[1, -1] = True
    supports = Supports.at(ends[0] & model.nodes, (0, 0, 0)) + Supports.at(ends[1] & model.nodes, (-0.1, 0, None))
    theirs = calculix(model, supports, kind, tmp_path)
    ours = solve(model, supports).displacement
    assert np.abs(theirs).max() == pytest.approx(0.1, rel=0.2)
    assert ours == pytest.approx(theirs, abs=1e-3 * 0.1)
