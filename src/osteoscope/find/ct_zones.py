"""Zones around the spine: which voxels are vertebra beyond doubt, and which pieces hang on beside it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.anatomy import Side
from osteoscope.find.ct_around import Around, around_spine
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_spine import SpineLine

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class ZoneOptions:
    """Choices of the zones; lengths in mm, shares of the depth of the vertebral body.

    Args:
        half_width_share, half_width_mm: a vertebra reaches to the side by this share of its depth and so much more.
        before_mm: bone this far before the face of the body (spurs) is still vertebra.
        behind_mm: the spinous process ends this far behind the canal.
        beyond_mm: the zone goes on this far past the ends of the canal.
        edge_mm: the same where the scan's edge cuts the spine, whose slices and discs are not parallel.
        joint_mm: (from, to) before the canal; where a piece touches the vertebra here, it is joined to it.
        least_ml: smaller pieces beside the spine belong to it.
    """

    half_width_share: float = 0.75
    half_width_mm: float = 4.0
    before_mm: float = 8.0
    behind_mm: float = 60.0
    beyond_mm: float = 5.0
    edge_mm: float = 40.0
    joint_mm: tuple[float, float] = (-35.0, 20.0)
    least_ml: float = 0.3


@dataclass(frozen=True, eq=False)
class Scene:
    """Bone of one scan seen from its spine; rows are those of ``around``.

    Args:
        bones: the bone mask.
        line: the spine.
        around: bone voxels in coordinates of the spine.
        core: [n] rows that are vertebra (or sacrum) for certain.
        joint: [n] rows beside the core where ribs and processes join it.
        depth: mm, distance to the surface of the bone, float32 [z, y, x].
    """

    bones: BoneMask
    line: SpineLine
    around: Around
    core: Mask
    joint: Mask
    depth: NDArray[np.float32]

    def voxels(self, rows: Rows | Mask) -> NDArray[np.intp]:
        """Indices [m, 3] of rows."""
        return self.around.voxels[rows]

    def mask(self, rows: Rows | Mask) -> Mask:
        """Rows as a mask of the working frame."""
        marked = np.zeros(self.bones.bone.shape, dtype=bool)
        marked[tuple(self.voxels(rows).T)] = True
        return marked


@dataclass(frozen=True, eq=False)
class Piece:
    """A connected piece of bone outside the core of the spine, in coordinates of the spine.

    Args:
        rows: its rows in the scene.
        volume: mL.
        depth: mm, half of its greatest thickness.
        length: mm, diagonal of its bounding box.
        width: mm, extent from right to left.
        side: median mm to the patient's left.
        forward: median mm before the canal.
        along: (lowest, median, highest) place on the spine line.
        attached: place on the spine line where it joins the spine, None where it does not.
    """

    rows: Rows
    volume: float
    depth: float
    length: float
    width: float
    side: float
    forward: float
    along: tuple[float, float, float]
    attached: float | None

    @property
    def hand(self) -> Side:
        """The patient's side on which it lies."""
        return "left" if self.side > 0 else "right"


def scene_of(bones: BoneMask, line: SpineLine, options: ZoneOptions = ZoneOptions()) -> Scene:
    """The bone of a scan seen from its spine."""
    around = around_spine(bones.bone, bones.frame.step, line)
    nearest = np.clip(np.rint(around.along).astype(np.intp), 0, line.length - 1)
    half = options.half_width_share * line.depth[nearest] + options.half_width_mm
    below, above = _beyond(bones, line, options)
    core = (
        (np.abs(around.side) <= half)
        & (around.forward <= line.face[nearest] + options.before_mm)
        & (around.forward >= -options.behind_mm)
        & (around.along >= -below)
        & (around.along <= line.length + above)
    )
    marked = np.zeros(bones.bone.shape, dtype=bool)
    marked[tuple(around.voxels[core].T)] = True
    near = ndimage.binary_dilation(marked, iterations=2)[tuple(around.voxels.T)]
    joint = near & ~core & (around.forward > options.joint_mm[0]) & (around.forward < options.joint_mm[1])
    depth = np.asarray(edt.edt(bones.bone, anisotropy=(bones.frame.step,) * 3, black_border=False))
    return Scene(bones, line, around, core, joint, depth)


def _beyond(bones: BoneMask, line: SpineLine, options: ZoneOptions) -> tuple[float, float]:
    """How far the zone goes on below and above the ends of the canal, mm."""
    top = (bones.bone.shape[0] - 1) * bones.frame.step
    cut = line.points[0, 0] < options.beyond_mm, line.points[-1, 0] > top - options.beyond_mm
    below, above = (options.edge_mm if at_edge else options.beyond_mm for at_edge in cut)
    return below, above


def pieces_beside(scene: Scene, taken: Mask, options: ZoneOptions = ZoneOptions()) -> list[Piece]:
    """Connected pieces of bone outside the rows ``taken``, the largest first."""
    rows = np.flatnonzero(~taken)
    labels = cc3d.connected_components(scene.mask(rows), connectivity=6)
    return pieces_of(scene, rows, labels[tuple(scene.voxels(rows).T)], options)


def pieces_of(
    scene: Scene, rows: Rows, label: NDArray[np.integer], options: ZoneOptions = ZoneOptions()
) -> list[Piece]:
    """The pieces that ``label`` (one per row, 0 for none) makes of ``rows``, the largest first."""
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(1, int(label.max(initial=0)) + 2))
    groups = [rows[order[start:stop]] for start, stop in itertools.pairwise(bounds)]
    least = options.least_ml / scene.bones.frame.cell_ml
    return sorted((_piece(scene, group) for group in groups if len(group) >= least), key=lambda piece: -piece.volume)


def _piece(scene: Scene, rows: Rows) -> Piece:
    voxels = scene.voxels(rows)
    span = (voxels.max(axis=0) - voxels.min(axis=0) + 1) * scene.bones.frame.step
    joined = rows[scene.joint[rows]]
    along = scene.around.along[rows]
    return Piece(
        rows,
        len(rows) * scene.bones.frame.cell_ml,
        float(scene.depth[tuple(voxels.T)].max()),
        float(np.linalg.norm(span)),
        float(span[2]),
        float(np.median(scene.around.side[rows])),
        float(np.median(scene.around.forward[rows])),
        (float(along.min()), float(np.median(along)), float(along.max())),
        float(np.median(scene.around.along[joined])) if len(joined) else None,
    )
