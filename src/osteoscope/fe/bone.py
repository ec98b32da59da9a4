"""A bone as it comes to its model: HU, mask and lesions in one crop, looked over before any load is put on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid, widened
from osteoscope.domain.image import Image
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.field import halves, near_edge, thick_slices
from osteoscope.fe.foreign import refuse_foreign
from osteoscope.fe.heal import Sick, healthy_hu, scarce

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]
# Choices of this program. A gap up to twice CLOSE_MM wide in a bone's outline is the lesion's doing, not its shape. No
# soft tissue without contrast agent is dense, and no bone's surface as light as fat.
_MARGIN, CLOSE_MM = 4, 8.0
DENSE_HU, LIGHT_HU = 200.0, 0.0
_SECOND_PIECE = 0.08


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone within a crop of the CT.

    Args:
        site: its id.
        grid: of the crop.
        hu: float32 [slice, row, column].
        mask: the bone with what its lesions have eaten.
        lesions: id -> mask within ``mask``.
        cut: mask voxels that lie at the edge of the CT, or within 3 mm of it.
        notes: what was done to the mask, and what slices and large lesions do to the result.
        cured: lesions that were replaced by healthy tissue; the bone is modelled as far as with them.
    """

    site: str
    grid: Grid
    hu: Array
    mask: Mask
    lesions: dict[str, Mask]
    cut: Mask
    notes: tuple[str, ...] = ()
    cured: dict[str, Mask] = field(default_factory=dict)

    @property
    def positions(self) -> NDArray[np.float64]:
        """LPS positions [n, 3] in mm of the mask's voxels."""
        return self.grid.to_position(np.argwhere(self.mask))

    def grown(self, voxels: int) -> Bone:
        """The mask one or more voxels larger or smaller along each axis, lesions as they are.

        A smaller one keeps dense voxels, and a larger one takes none as light as fat: ``snapped`` would undo both.
        """
        if voxels < 0:
            smaller = ndimage.binary_erosion(self.mask, iterations=-voxels, border_value=1)
            return self._within(smaller | (self.mask & (self.hu >= DENSE_HU)))
        larger = ndimage.binary_dilation(self.mask, iterations=voxels)
        return self._within(self.mask | (larger & (self.hu >= LIGHT_HU)))

    def snapped(self) -> Bone:
        """The mask with dense voxels up to one voxel outside, and without those at its surface that are light as fat.

        Drawn one voxel too far in, half of a cortex is lost; one too far out, elements of next to no strength hang on
        the bone, which bear nothing and cost the solver several times the work.
        """
        mask = self.mask | (shifted(self.mask, self.grid, 1) & (self.hu >= DENSE_HU))
        return self._within(mask & (shifted(mask, self.grid, -1) | (self.hu >= LIGHT_HU)))

    def _within(self, mask: Mask) -> Bone:
        inside = {name: part & mask for name, part in self.lesions.items()}
        return replace(self, mask=mask, lesions={name: part for name, part in inside.items() if part.any()})

    def healed(self, names: Collection[str]) -> Bone:
        """With these lesions replaced by this bone's own healthy tissue that lies alike (``fe/heal.py``).

        Raises:
            UnsuitableStudyError: there is no healthy tissue, or too little.
        """
        wanted, ill = (_any([self.lesions[n] for n in of], self.mask.shape) for of in (names, self.lesions))
        if not wanted.any():
            return self
        hu = self.hu.copy()
        hu[wanted] = healthy_hu(Sick(self.site, self.grid, hu, self.mask, ill, wanted))
        left, cured = ({n: m for n, m in self.lesions.items() if (n in names) == gone} for gone in (False, True))
        return replace(self, hu=hu, lesions=left, cured=self.cured | cured)


def bone_from(image: Image, site: str, part: Part, lesions: Sequence[tuple[str, Part]] = ()) -> Bone:
    """A bone and those of the lesions that touch it, cropped out of a CT.

    Args:
        image: the CT.
        site: id of the bone.
        part: its mask.
        lesions: id and mask; of a lesion that grows out of the bone, what lies within the bone's outline is used.

    Raises:
        UnsuitableStudyError: metal, cement in a vertebra, a mask of several large pieces, or one with nothing denser
            than fat.
    """
    box = widened(part.box, _MARGIN, image.grid.shape)
    split = halves(image.grid)
    grid = image.grid.crop(box).resample([s / n for s, n in zip(image.grid.spacing, split, strict=True)])
    hu, own = (_split(of, split) for of in (np.asarray(image.values[box], np.float32), part.within(box)))
    found = {name: _split(lesion.within(box), split) for name, lesion in lesions}
    found = {name: mask for name, mask in found.items() if mask.any()}
    # A mask that leaves a large lesion out has a hole that no closing fills.
    hull = ndimage.binary_fill_holes(_closed(own, grid)) & _any([own, *found.values()], own.shape)
    whole, notes = _one_piece(own | hull, site)
    refuse_foreign(hu, whole, grid, site)
    kept = {name: inside for name, mask in found.items() if (inside := mask & whole).any()}
    notes = (*notes, *thick_slices(image.grid))
    made = Bone(site, grid, hu, whole, kept, np.zeros_like(whole), notes).snapped()
    if not (made.hu[made.mask] >= LIGHT_HU).any():
        raise UnsuitableStudyError(f"load {site}", "nothing denser than fat in its mask", "Correct the bone's mask")
    edge = _split(near_edge(image, box), split)
    lost = (f"lesion {name} has no voxel within the bone: left out" for name, _ in lesions if name not in made.lesions)
    few = scarce(site, grid, made.mask, _any(list(made.lesions.values()), made.mask.shape))
    return replace(made, cut=made.mask & edge, notes=(*made.notes, *few, *lost))


def shifted(mask: Mask, grid: Grid, voxels: int) -> Mask:
    """A mask larger or, below 0, smaller by so many voxels of the smallest spacing."""
    step = abs(voxels) * min(grid.spacing)
    out = voxels > 0
    far = edt.edt(~mask if out else mask, anisotropy=grid.spacing, black_border=False)
    return np.asarray(mask | (far <= step) if out else far > step)


def _any(masks: Sequence[Mask], shape: Sequence[int]) -> Mask:
    """What lies in any of the masks."""
    return np.any(masks, axis=0) if masks else np.zeros(shape, bool)


def _split(values: NDArray[Any], parts: tuple[int, int, int]) -> NDArray[Any]:
    """Each voxel as so many of its value along each axis."""
    for axis, count in enumerate(parts):
        values = np.repeat(values, count, axis) if count > 1 else values
    return values


def _closed(mask: Mask, grid: Grid) -> Mask:
    """The mask with gaps up to twice ``CLOSE_MM`` wide filled."""
    pad = [int(np.ceil(CLOSE_MM / s)) + 1 for s in grid.spacing]
    wide = np.pad(mask, [(p, p) for p in pad])
    near = edt.edt(~wide, anisotropy=grid.spacing, black_border=False) <= CLOSE_MM
    deep = edt.edt(near, anisotropy=grid.spacing, black_border=False) > CLOSE_MM
    inner = tuple(slice(p, p + n) for p, n in zip(pad, mask.shape, strict=True))
    return np.asarray(deep[inner] | mask)


def _one_piece(mask: Mask, site: str) -> tuple[Mask, tuple[str, ...]]:
    pieces = np.asarray(cc3d.connected_components(mask, connectivity=26))
    sizes = np.bincount(pieces.ravel())[1:]
    largest = int(np.argmax(sizes))
    others = np.delete(sizes, largest)
    if len(others) and others.max() > _SECOND_PIECE * sizes[largest]:
        raise UnsuitableStudyError(
            f"load {site}", f"a mask of several pieces, the largest {np.sort(sizes)[::-1][:3].tolist()} voxels",
            "Correct the bone's mask: one bone in one piece",
        )  # fmt: skip
    lost = int(others.sum())
    note = (f"{lost} voxels of the mask apart from the bone left out",) if lost else ()
    return pieces == largest + 1, note
