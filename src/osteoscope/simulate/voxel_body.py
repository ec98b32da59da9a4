"""A child made of somebody's voxel phantom: other proportions, another pose, another shape each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import SOFT_TISSUE, Body, voxel_size
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.painting import paint
from osteoscope.simulate.phantom import Phantom
from osteoscope.simulate.phantom_glands import with_glands
from osteoscope.simulate.phantom_joints import PARTS, Part
from osteoscope.simulate.phantom_maps import Box, Core, Piece, maps
from osteoscope.simulate.phantom_parts import Anatomy
from osteoscope.simulate.posture import Pose
from osteoscope.simulate.shapes import Ellipsoid, Floats, Frame, Ripple

# Free deformation: root mean square along each axis, and wavelength, shares of the child's height.
_SHIFT, _WAVELENGTH = 0.008, 0.35
# How far a deformation may carry a part beyond where it would lie, root mean squares.
_REACH = 2.7
_LATTICE = 4
_MARGIN_MM = 8.0
_JOINT = 0.95
_JOINT_GIRTH: Mapping[str, str] = MappingProxyType(
    {"forearm": "forearm_radius", "shank": "calf_radius", "foot": "ankle_radius"}
)
Back = Callable[[Floats], Floats]


def voxel_child(
    phantom: Phantom, stature: Stature, rng: np.random.Generator, pose: Pose | None = None, shift: float = _SHIFT
) -> Body:
    """The labelled voxels of a child made of a phantom.

    Head, trunk (hips, waist, chest, shoulders apart) and the parts of each limb get the child's lengths, breadths and
    depths; limbs turn about their joints into the pose; then all of it is deformed smoothly. The bladder keeps the
    phantom's filling. Where limbs touch the trunk, the trunk stays whole.

    Args:
        phantom: somebody, lying straight. What is measured of it is kept for the last four phantoms.
        stature: of the child; proportions are varied by some per cent (`Stature.varied`).
        rng: draws proportions and deformation.
        pose: how the child lies; default `Pose()`.
        shift: root mean square of the deformation along each axis, share of the height, 0 to 0.03.

    Raises:
        InvalidValueError: the phantom lacks a bone that its joints are found by, or the shift is out of range.
    """
    if not 0 <= shift <= 0.03:
        raise InvalidValueError("deform a phantom", f"a shift of {shift} of the height", "Give 0 to 0.03")
    anatomy = anatomy_of(phantom)
    varied = stature.varied(rng)
    core, pieces = maps(anatomy, varied, pose or Pose())
    ripple = Ripple.draw(shift * stature.height, _WAVELENGTH * stature.height, rng)
    reach = _REACH * shift * stature.height
    grid = _grid(core, list(pieces.values()), stature.height, reach)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    canvas = _Canvas(labels, grid, anatomy, ripple, reach)
    canvas.draw_core(core)
    canvas.fill_joints(pieces, varied)
    for part, piece in pieces.items():
        canvas.draw_piece(part, piece)
    return _cropped(labels, grid, anatomy.phantom.structures)


@lru_cache(maxsize=4)
def anatomy_of(phantom: Phantom) -> Anatomy:
    """A phantom with its joints found, and the glands that it lacks put in."""
    return Anatomy(with_glands(Anatomy(phantom)))


def _grid(core: Core, pieces: list[Piece], height: float, reach: float) -> Grid:
    boxes = [core.bounds(), *(piece.bounds() for piece in pieces)]
    low = np.min([box[0] for box in boxes], axis=0) - _MARGIN_MM - reach
    high = np.max([box[1] for box in boxes], axis=0) + _MARGIN_MM + reach
    step = voxel_size(height)
    size = np.ceil((high - low) / step).astype(int) + 1
    return Grid.axial(size[::-1].tolist(), (step, step, step), low.tolist())


class _Canvas:
    """Where a child is drawn part by part."""

    def __init__(self, labels: NDArray[np.uint8], grid: Grid, anatomy: Anatomy, ripple: Ripple, reach: float) -> None:
        self.labels, self.grid, self.anatomy, self.ripple = labels, grid, anatomy, ripple
        self.reach = reach
        names = anatomy.phantom.structures
        self.soft = names.index(SOFT_TISSUE) if SOFT_TISSUE in names else 0
        units = Body(
            Grid.axial((1, 1, len(names)), (1, 1, 1)), np.arange(len(names), dtype=np.uint8)[None, None], names
        )
        self.bony = units.unit_of_structure >= 0

    def draw_core(self, core: Core) -> None:
        """Trunk and head."""
        box, index = self._source(core.bounds(), core.back)
        self.labels[box] = _taken(self.anatomy.core, index)

    def fill_joints(self, pieces: Mapping[Part, Piece], stature: Stature) -> None:
        """A ball of flesh at elbow, knee and ankle, so that no gap opens where a limb bends."""
        for part, piece in pieces.items():
            if part[0] in _JOINT_GIRTH and self.soft:
                size = _JOINT * stature.girths[_JOINT_GIRTH[part[0]]]
                ball = Ellipsoid(Frame(piece.posed.origin, np.eye(3)), np.full(3, size))
                paint(self.labels, self.grid, ball, self.soft, (0,))

    def draw_piece(self, part: Part, piece: Piece) -> None:
        """A part of a limb: its flesh over air, its bones over flesh as well."""
        box, index = self._source(piece.bounds(), piece.back)
        own = _taken(self.anatomy.part_of, index) == 1 + PARTS.index(part)
        label = np.where(own, _taken(self.anatomy.phantom.labels, index), 0)
        there = self.labels[box]
        free = (there == 0) | (self.bony[label] & (there == self.soft))
        there[:] = np.where(free & (label > 0), label, there)

    def _source(self, bounds: Box, back: Back) -> tuple[tuple[slice, ...], list[NDArray[np.int64]]]:
        """A box of the canvas, and index of each of its voxels in the phantom (clipped one voxel beyond it)."""
        low, high = (self.grid.to_index(edge + by) for edge, by in zip(bounds, (-self.reach, self.reach), strict=True))
        start = np.clip(np.floor(low).astype(int) - 2, 0, np.array(self.grid.shape) - 1)
        stop = np.clip(np.ceil(high).astype(int) + 3, start + 1, self.grid.shape)
        box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        nodes = [np.arange(s.start, s.stop + _LATTICE, _LATTICE) for s in box]
        position = self.grid.to_position(np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1))
        source = back(self.ripple.move(position))[..., ::-1] / self.anatomy.phantom.spacing
        size = tuple(s.stop - s.start for s in box)
        return box, [_between(source[..., axis].astype(np.float32), size) for axis in range(3)]


def _between(lattice: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.int64]:
    """Nearest whole numbers of a field known at every fourth voxel."""
    field = lattice
    for axis, count in enumerate(size):
        low, rest = np.divmod(np.arange(count), _LATTICE)
        share = (rest / _LATTICE).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        first = field.take(low, axis)
        field = first + share * (field.take(low + 1, axis) - first)
    return np.rint(field).astype(np.int64)


def _taken(labels: NDArray[np.uint8], index: list[NDArray[np.int64]]) -> NDArray[np.uint8]:
    """Labels at indices, 0 outside."""
    inside = np.ones(index[0].shape, dtype=bool)
    flat = np.zeros(index[0].shape, dtype=np.int64)
    for at, count in zip(index, labels.shape, strict=True):
        inside &= (at >= 0) & (at < count)
        flat = flat * count + np.clip(at, 0, count - 1)
    return np.where(inside, labels.ravel()[flat], 0).astype(np.uint8)


def _cropped(labels: NDArray[np.uint8], grid: Grid, structures: tuple[str, ...]) -> Body:
    filled = labels > 0
    spans = [np.flatnonzero(filled.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    box = tuple(slice(max(int(s[0]) - 2, 0), min(int(s[-1]) + 3, n)) for s, n in zip(spans, labels.shape, strict=True))
    return Body(grid.crop(box), np.ascontiguousarray(labels[box]), structures)
