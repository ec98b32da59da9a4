"""The mesh of a bone for other programs, bricks or tetrahedra: Abaqus / CalculiX input, and VTK.

The input file lies in the machine's own axes (x, y, z: axes 2, 1, 0 of the grid), so that supports along them can be
prescribed; a comment gives the way back to the patient. Materials are in logarithmic bins of modulus with their mean
modulus and yield stress; supports are at the full displacement. The VTK file lies in the patient's axes (LPS, mm).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.fe.loads import Trial
from osteoscope.fe.solution import Curve
from osteoscope.fe.tet_model import TetModel
from osteoscope.fe.vtk import vtu

Floats = NDArray[np.float64]
# Corners (z, y, x) of a brick in the order of Abaqus' C3D8 and VTK's hexahedron (12).
_CORNERS = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0))
_BINS = 120
_AXES = {0: 3, 1: 2, 2: 1}
# Nodes of a tetrahedron of ten nodes seen in a mirror.
_MIRRORED = [0, 2, 1, 3, 6, 5, 4, 7, 9, 8]


def bricks(trial: Trial) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nodes [n, 3] (indices z, y, x of the lattice) in use, and elements [m, 8] as rows of them."""
    index = np.argwhere(trial.model.modulus > 0)
    corners = index[:, None] + np.asarray(_CORNERS)
    flat = np.ravel_multi_index(np.moveaxis(corners, -1, 0), trial.model.lattice)
    used, rows = np.unique(flat, return_inverse=True)
    return np.stack(np.unravel_index(used, trial.model.lattice), axis=1), rows.reshape(flat.shape)


@dataclass(frozen=True, eq=False)
class _Deck:
    """What an input file holds: places [n, 3] x, y, z; elements as rows of them; supports as node, axis 0..2 of the
    grid, displacement."""

    title: str
    grid: Grid
    places: Floats
    kind: str
    elements: NDArray[np.int64]
    modulus: Floats
    limit: Floats | None
    held: tuple[NDArray[np.int64], NDArray[np.int64], Floats]


def write_inp(trial: Trial, poisson: float, path: Path) -> None:
    """Write bricks with incompatible modes (C3D8I) as input of Abaqus or CalculiX.

    Raises:
        OSError: the file cannot be written.
    """
    nodes, elements = bricks(trial)
    grid, there = trial.mesh.grid, trial.model.modulus > 0
    limit = trial.model.yield_stress
    number = np.zeros(trial.model.lattice, np.int64)
    number[tuple(nodes.T)] = np.arange(len(nodes))
    held = (number[tuple(trial.supports.nodes.T)], trial.supports.axis, trial.supports.value)
    places = (nodes * np.asarray(grid.spacing))[:, ::-1]
    _write(
        _Deck(
            "voxel model", grid, places, "C3D8I", elements, trial.model.modulus[there].astype(float),
            limit[there].astype(float) if limit is not None else None, held,
        ), poisson, path,
    )  # fmt: skip


def write_tets_inp(tets: TetModel, poisson: float, path: Path) -> None:
    """Write tetrahedra of ten nodes (C3D10) as input of Abaqus or CalculiX.

    Raises:
        OSError: the file cannot be written.
    """
    # Axes 0, 1, 2 as z, y, x turn the handedness: two corners change places.
    elements = tets.cells[:, _MIRRORED]
    limit = tets.strength.astype(float) if tets.strength is not None else None
    deck = _Deck(
        "tetrahedra", tets.grid, tets.points[:, ::-1], "C3D10", elements, tets.modulus.astype(float), limit, tets.held
    )
    _write(deck, poisson, path)


def _write(deck: _Deck, poisson: float, path: Path) -> None:
    path.write_text("\n".join(_inp(deck, poisson)) + "\n", encoding="ascii")


def _inp(deck: _Deck, poisson: float) -> Iterator[str]:
    yield "*HEADING"
    yield f"Osteoscope {deck.title}, mm, N, MPa. Research use only, not a medical device."
    yield f"** LPS position = M (x, y, z, 1) with rows of M: {_to_patient(deck.grid)}"
    yield "*NODE, NSET=ALL"
    yield from (f"{n}, {x:.8g}, {y:.8g}, {z:.8g}" for n, (x, y, z) in enumerate(deck.places.tolist(), 1))
    yield f"*ELEMENT, TYPE={deck.kind}, ELSET=BONE"
    yield from (f"{n}, {', '.join(map(str, row))}" for n, row in enumerate((deck.elements + 1).tolist(), 1))
    yield from _materials(deck, poisson)
    yield "*STEP, INC=200"
    yield "*STATIC"
    yield "0.05, 1."
    yield "*BOUNDARY"
    for node, axis, value in zip(*deck.held, strict=True):
        yield f"{node + 1}, {_AXES[int(axis)]}, {_AXES[int(axis)]}, {value:.8g}"
    yield "*NODE PRINT, NSET=ALL, TOTALS=ONLY"
    yield "RF"
    yield "*NODE FILE"
    yield "U"
    yield "*EL FILE"
    yield "S, E"
    yield "*END STEP"


def _materials(deck: _Deck, poisson: float) -> Iterator[str]:
    modulus, limit = deck.modulus, deck.limit
    width = max(np.log(modulus.max() / modulus.min()) / _BINS, 1e-9)
    bins = np.floor(np.log(modulus / modulus.min()) / width).astype(int)
    # Elements of cement never yield: bins of their own.
    lasting = np.isinf(limit) if limit is not None else np.zeros(len(bins), bool)
    bins = 2 * bins + lasting
    for n in np.unique(bins):
        own = np.flatnonzero(bins == n)
        yield f"*ELSET, ELSET=E{n}"
        yield from (", ".join(str(e + 1) for e in own[k : k + 16]) for k in range(0, len(own), 16))
        yield f"*MATERIAL, NAME=M{n}"
        yield "*ELASTIC"
        yield f"{modulus[own].mean():.6g}, {poisson:g}"
        if limit is not None and not lasting[own[0]]:
            yield "*PLASTIC"
            yield f"{limit[own].mean():.6g}, 0."
        yield f"*SOLID SECTION, ELSET=E{n}, MATERIAL=M{n}"


def _to_patient(grid: Grid) -> str:
    turn = grid.matrix[:3, [2, 1, 0]] / np.asarray(grid.spacing)[::-1]
    start = grid.to_position([-0.5] * 3)
    rows = np.column_stack([turn, start])
    return "; ".join(" ".join(f"{v:.8g}" for v in row) for row in rows)


def write_tets_vtu(tets: TetModel, path: Path) -> None:
    """Write quadratic tetrahedra as VTK unstructured grid with modulus, yield stress, cement and lesion share.

    Raises:
        OSError: the file cannot be written.
    """
    cells: dict[str, NDArray[np.generic]] = {"modulus_MPa": tets.modulus, "cement": tets.cement}
    if tets.strength is not None:
        cells["yield_stress_MPa"] = np.minimum(tets.strength, np.float32(1e6))
    cells |= {f"lesion_{name}": share for name, share in tets.lesions.items()}
    places = tets.grid.to_position(tets.points / tets.grid.spacing - 0.5)
    elements = tets.cells if np.linalg.det(tets.grid.matrix[:3, :3]) > 0 else tets.cells[:, _MIRRORED]
    path.write_text("".join(vtu(places, elements, {}, cells)), encoding="ascii")


def write_vtu(trial: Trial, curve: Curve, path: Path) -> None:
    """Write the bricks as VTK unstructured grid with displacement, modulus, yield stress, bone and lesion share,
    plastic strain and failed elements at the failure load.

    Raises:
        OSError: the file cannot be written.
    """
    nodes, elements = bricks(trial)
    grid, there = trial.mesh.grid, trial.model.modulus > 0
    turn = grid.matrix[:3, :3] / np.asarray(grid.spacing)
    moved = curve.last.displacement[tuple(nodes.T)] @ turn.T
    limit = trial.model.yield_stress
    cells: dict[str, NDArray[np.generic]] = {
        "modulus_MPa": trial.model.modulus[there],
        "bone_share": trial.mesh.share[there],
        "cement": trial.caps[there].astype(np.uint8),
        "plastic_strain": curve.plastic_strain[there],
        "failed": curve.failed[there].astype(np.uint8),
    }
    if limit is not None:
        cells["yield_stress_MPa"] = np.minimum(limit[there], np.float32(1e6))
    cells |= {f"lesion_{name}": share[there] for name, share in trial.mesh.lesions.items()}
    points = {"displacement_mm": np.asarray(moved, np.float32)}
    path.write_text("".join(vtu(grid.to_position(nodes - 0.5), elements, points, cells)), encoding="ascii")
