"""The mesh of a bone for other programs: Abaqus / CalculiX input, and VTK for pictures.

The input file lies in the machine's own axes (x, y, z: axes 2, 1, 0 of the grid), so that supports along them can be
prescribed; a comment gives the way back to the patient. The VTK file lies in the patient's axes (LPS, mm).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe.loads import Trial
from osteoscope.fe.model import Curve

Floats = NDArray[np.float64]
# Corners (z, y, x) of a brick in the order of Abaqus' C3D8 and VTK's hexahedron (12).
_CORNERS = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0))
_HEXAHEDRON, _BINS = 12, 120
_AXES = {0: 3, 1: 2, 2: 1}


def bricks(trial: Trial) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nodes [n, 3] (indices z, y, x of the lattice) in use, and elements [m, 8] as rows of them."""
    index = np.argwhere(trial.model.modulus > 0)
    corners = index[:, None] + np.asarray(_CORNERS)
    flat = np.ravel_multi_index(np.moveaxis(corners, -1, 0), trial.model.lattice)
    used, rows = np.unique(flat, return_inverse=True)
    return np.stack(np.unravel_index(used, trial.model.lattice), axis=1), rows.reshape(flat.shape)


def write_inp(trial: Trial, poisson: float, path: Path) -> None:
    """Write an input file of Abaqus or CalculiX: bricks with incompatible modes (C3D8I), materials in logarithmic bins
    of modulus with their mean modulus and yield stress, the supports at the full displacement.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text("\n".join(_inp(trial, poisson)) + "\n", encoding="ascii")


def _inp(trial: Trial, poisson: float) -> Iterator[str]:
    nodes, elements = bricks(trial)
    grid = trial.mesh.grid
    yield "*HEADING"
    yield "Osteoscope voxel model, mm, N, MPa. Research use only, not a medical device."
    yield f"** LPS position = M (x, y, z, 1) with rows of M: {_to_patient(trial)}"
    yield "*NODE, NSET=ALL"
    places = (nodes * np.asarray(grid.spacing))[:, ::-1]
    yield from (f"{n}, {x:.6g}, {y:.6g}, {z:.6g}" for n, (x, y, z) in enumerate(places, 1))
    yield "*ELEMENT, TYPE=C3D8I, ELSET=BONE"
    yield from (f"{n}, {', '.join(map(str, row))}" for n, row in enumerate(elements + 1, 1))
    yield from _materials(trial, poisson)
    number = np.zeros(trial.model.lattice, np.int64)
    number[tuple(nodes.T)] = np.arange(1, len(nodes) + 1)
    yield "*STEP, INC=200"
    yield "*STATIC"
    yield "0.05, 1."
    yield "*BOUNDARY"
    held = trial.supports
    for node, axis, value in zip(number[tuple(held.nodes.T)], held.axis, held.value, strict=True):
        yield f"{node}, {_AXES[int(axis)]}, {_AXES[int(axis)]}, {value:.8g}"
    yield "*NODE PRINT, NSET=ALL, TOTALS=ONLY"
    yield "RF"
    yield "*NODE FILE"
    yield "U"
    yield "*EL FILE"
    yield "S, E"
    yield "*END STEP"


def _materials(trial: Trial, poisson: float) -> Iterator[str]:
    there = trial.model.modulus > 0
    modulus = trial.model.modulus[there].astype(float)
    limit = trial.model.yield_stress[there].astype(float) if trial.model.yield_stress is not None else None
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


def _to_patient(trial: Trial) -> str:
    grid = trial.mesh.grid
    turn = grid.matrix[:3, [2, 1, 0]] / np.asarray(grid.spacing)[::-1]
    start = grid.to_position([-0.5] * 3)
    rows = np.column_stack([turn, start])
    return "; ".join(" ".join(f"{v:.8g}" for v in row) for row in rows)


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
    path.write_text("".join(_vtu(grid.to_position(nodes - 0.5), elements, points, cells)), encoding="ascii")


def _vtu(
    places: Floats,
    elements: NDArray[np.int64],
    points: Mapping[str, NDArray[np.generic]],
    cells: Mapping[str, NDArray[np.generic]],
) -> Iterator[str]:
    yield '<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" '
    yield f'header_type="UInt64">\n<UnstructuredGrid><Piece NumberOfPoints="{len(places)}" '
    yield f'NumberOfCells="{len(elements)}">\n<Points>{_array("Points", places.astype(np.float32))}</Points>\n<Cells>'
    yield _array("connectivity", elements.ravel())
    yield _array("offsets", np.arange(1, len(elements) + 1, dtype=np.int64) * 8)
    yield _array("types", np.full(len(elements), _HEXAHEDRON, np.uint8))
    yield f"</Cells>\n<PointData>{''.join(_array(*row) for row in points.items())}</PointData>\n"
    yield f"<CellData>{''.join(_array(*row) for row in cells.items())}</CellData>\n"
    yield "</Piece></UnstructuredGrid></VTKFile>\n"


def _array(name: str, values: NDArray[np.generic]) -> str:
    kind = {"f": "Float", "i": "Int", "u": "UInt"}[values.dtype.kind] + str(values.dtype.itemsize * 8)
    width = values.shape[1] if values.ndim > 1 else 1
    raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    text = base64.b64encode(struct.pack("<Q", len(raw)) + raw).decode("ascii")
    return f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{width}" format="binary">{text}</DataArray>'
