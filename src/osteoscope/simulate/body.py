"""A body as a label volume: which structure each voxel belongs to. Everything after it works on any such volume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import BONE_TO_UNIT, PLANAR_UNITS
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.simulate import flesh
from osteoscope.simulate.axial_skeleton import axial_skeleton
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.limb_skeleton import limb_skeleton
from osteoscope.simulate.painting import paint, stamp
from osteoscope.simulate.posture import Pose, posture
from osteoscope.simulate.shapes import Beads, Ripple, Solid

AIR, SOFT_TISSUE, VISCERA = "air", "soft_tissue", "viscera"

# Density over that of water at which a structure attenuates; 1.05 for soft tissue, 1.25 for the bones of a child.
_DENSITY: Mapping[str, float] = MappingProxyType({AIR: 0.0, "lung_right": 0.3, "lung_left": 0.3})
_SOFT_DENSITY, _BONE_DENSITY = 1.05, 1.25
_VOXELS_PER_HEIGHT = 400
_VOXEL_RANGE_MM = (2.4, 4.0)
_MARGIN_MM = 8.0
# Individual shape of the bones, shares of body height.
_RIPPLE, _RIPPLE_WAVELENGTH = 0.0035, 0.25
# Bones that shape the surface; the skin over them, as a share of body height.
_THINLY_COVERED = ("hand", "foot", "skull", "mandible", "scapula", "patella")
_SKIN = 0.005


@dataclass(frozen=True, eq=False)
class Body:
    """Labelled voxels.

    Args:
        grid: axial volume, mm, slices towards the head, rows towards the back, columns towards the left.
        labels: index into `structures`, uint8, shape of `grid`.
        structures: names; the first is "air". A bone id of `osteoscope.domain.anatomy`, or a planar unit where an
            anatomy does not tell its bones apart, makes a voxel bone of that unit; any other name is soft tissue.

    Raises:
        InvalidValueError: shapes differ, a label has no name, the first is not air, or no voxel is bone.
    """

    grid: Grid
    labels: NDArray[np.uint8]
    structures: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.labels.shape != self.grid.shape or self.grid.ndim != 3:
            raise InvalidValueError(
                "build a Body", f"labels {self.labels.shape} on a grid of {self.grid.shape}", "Give one 3-D shape"
            )
        if not self.structures or self.structures[0] != AIR or int(self.labels.max()) >= len(self.structures):
            raise InvalidValueError(
                "build a Body",
                f"labels up to {int(self.labels.max())} for {len(self.structures)} structures",
                'Name every label, "air" first',
            )
        if not self.voxels(np.flatnonzero(self.unit_of_structure >= 0).tolist()).size:
            raise InvalidValueError("build a Body", "no structure that is bone", "Name bones as domain.anatomy does")
        if max(self.grid.spacing) - min(self.grid.spacing) > 1e-3:
            raise InvalidValueError("build a Body", f"voxels of {self.grid.spacing} mm", "Make cubes with Body.of")

    @classmethod
    def of(cls, labels: NDArray[np.uint8], spacing: Sequence[float], structures: Sequence[str], step_mm: float) -> Body:
        """A body from any label volume [to the head, to the back, to the left], resampled to cubes of `step_mm`."""
        for axis, (count, size) in enumerate(zip(labels.shape, spacing, strict=True)):
            at = (np.arange(max(1, round(count * size / step_mm))) + 0.5) * step_mm / size
            labels = labels.take(np.minimum(at.astype(np.int64), count - 1), axis)
        return cls(Grid.axial(labels.shape, (step_mm,) * 3), labels, tuple(structures))

    @cached_property
    def unit_of_structure(self) -> NDArray[np.int8]:
        """Index into PLANAR_UNITS of each structure, -1 for soft tissue and air."""
        units = [BONE_TO_UNIT.get(name, name) for name in self.structures]
        skeletal = {unit: n for n, unit in enumerate(PLANAR_UNITS) if unit != SOFT_TISSUE}
        return np.array([skeletal.get(unit, -1) for unit in units], dtype=np.int8)

    @cached_property
    def _by_label(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Flat indices of all voxels but air, ordered by label, and where each label begins."""
        occupied = np.flatnonzero(self.labels)
        label = self.labels.ravel()[occupied]
        order = np.argsort(label, kind="stable")
        return occupied[order], np.searchsorted(label[order], np.arange(len(self.structures) + 1))

    def voxels(self, wanted: Iterable[int]) -> NDArray[np.int64]:
        """Flat indices of the voxels of some labels (not air)."""
        flat, starts = self._by_label
        parts = [flat[starts[label] : starts[label + 1]] for label in wanted]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def bone(self, units: Iterable[str]) -> NDArray[np.int64]:
        """Flat indices of the voxels of some planar units."""
        numbers = [PLANAR_UNITS.index(unit) for unit in units]
        return self.voxels(np.flatnonzero(np.isin(self.unit_of_structure, numbers)).tolist())

    def unit(self, voxels: NDArray[np.int64]) -> NDArray[np.int8]:
        """Index into PLANAR_UNITS of voxels (flat indices), -1 outside bone."""
        return self.unit_of_structure[self.labels.ravel()[voxels]]

    def in_picture(self, voxels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Slice and column of voxels (flat indices)."""
        _, rows, columns = self.grid.shape
        return voxels // (rows * columns), voxels % columns

    def positions(self, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Positions (x, y, z) in mm of voxels (flat indices), shape (n, 3)."""
        return self.grid.to_position(np.stack(np.unravel_index(voxels, self.grid.shape), axis=1))

    def per_structure(self, values: Mapping[str, float], soft: float, bone: float) -> NDArray[np.float32]:
        """One number per structure: by name, else that of bone or soft tissue; 0 for air."""
        rest = np.where(self.unit_of_structure >= 0, bone, soft)
        rest[0] = 0.0
        return np.array([values.get(n, r) for n, r in zip(self.structures, rest, strict=True)], dtype=np.float32)

    @property
    def density(self) -> NDArray[np.float32]:
        """Density of each structure over that of water."""
        return self.per_structure(_DENSITY, _SOFT_DENSITY, _BONE_DENSITY)


@dataclass(frozen=True)
class Child:
    """What `build_child` needs.

    Args:
        stature: measures.
        age_years: for the bladder's capacity.
        pose: how it lies.
        bladder_fill: 0 (empty) to 1.
    """

    stature: Stature
    age_years: float
    pose: Pose
    bladder_fill: float


@dataclass(frozen=True, eq=False)
class _Layer:
    name: str
    shape: Solid | Beads
    within: Literal["anywhere", "body", "trunk"] = "anywhere"


def build_child(child: Child, rng: np.random.Generator) -> Body:
    """The labelled voxels of a child; `rng` draws what differs between two children of one description."""
    layers = _layers(child, rng)
    names = (AIR, *dict.fromkeys(layer.name for layer in layers))
    label = {name: n for n, name in enumerate(names)}
    trunk = [label[VISCERA], *(label[layer.name] for layer in layers if layer.within == "trunk")]
    over = {"anywhere": None, "body": range(1, len(names)), "trunk": trunk}
    grid = _grid_around([layer.shape for layer in layers], child.stature.height)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    for layer in layers:
        if isinstance(layer.shape, Beads):
            stamp(labels, grid, layer.shape, label[layer.name], over[layer.within])
        else:
            paint(labels, grid, layer.shape, label[layer.name], over[layer.within])
    return Body(grid, labels, names)


def _layers(child: Child, rng: np.random.Generator) -> list[_Layer]:
    """Everything to paint, in this order: flesh, cavity, bowel, organs, glands, bones."""
    stature = child.stature.varied(rng)
    posed = posture(stature, child.pose)
    ripple = Ripple.draw(_RIPPLE * stature.height, _RIPPLE_WAVELENGTH * stature.height, rng)
    straight = {**axial_skeleton(stature, posed), **limb_skeleton(stature, posed)}
    bones = {name: ripple.apply(beads) for name, beads in straight.items()}
    skin = [beads.swollen(_SKIN * stature.height) for name, beads in bones.items() if name.startswith(_THINLY_COVERED)]
    organs = {
        **flesh.trunk_organs(stature, posed, rng),
        "bladder": flesh.bladder(stature, posed, child.age_years, child.bladder_fill),
    }
    glands = {**flesh.neck_organs(stature, posed), **flesh.head_organs(stature, posed)}
    return [
        *(_Layer(SOFT_TISSUE, solid) for solid in flesh.outline(stature, posed)),
        *(_Layer(SOFT_TISSUE, beads) for beads in skin),
        _Layer(VISCERA, flesh.cavity(stature, posed)),
        *(_Layer(name, loop, "trunk") for name, loop in flesh.bowel(stature, posed, rng).items()),
        *(_Layer(name, organ, "trunk") for name, organ in organs.items()),
        *(_Layer(name, gland, "body") for name, gland in glands.items()),
        *(_Layer(name, bone) for name, bone in bones.items()),
    ]


def _grid_around(shapes: Sequence[Solid | Beads], height: float) -> Grid:
    lows, highs = zip(*(shape.bounds() for shape in shapes), strict=True)
    step = voxel_size(height)
    low = np.min(lows, axis=0) - _MARGIN_MM
    size = np.ceil((np.max(highs, axis=0) + _MARGIN_MM - low) / step).astype(int) + 1
    return Grid.axial(size[::-1].tolist(), (step, step, step), low.tolist())


def voxel_size(height: float) -> float:
    """Size in mm of the voxels that a child of that height (mm) is built of."""
    return float(np.clip(height / _VOXELS_PER_HEIGHT, *_VOXEL_RANGE_MM))
