"""A bone as it comes to its model: HU, mask and lesions in one crop, looked over before any load is put on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid, widened
from osteoscope.domain.image import Image
from osteoscope.errors import UnsuitableStudyError

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]
# Choices of this program. A gap up to twice CLOSE_MM wide in a bone's outline is the lesion's doing, not its shape. No
# soft tissue without contrast agent is dense, and no bone's surface as light as fat.
_MARGIN, CLOSE_MM = 4, 8.0
DENSE_HU, LIGHT_HU = 200.0, 0.0
METAL_HU, _METAL_MM3, _METAL_NEAR_MM = 2500.0, 40.0, 2.0
_SECOND_PIECE = 0.08
# Depths (mm) below the surface within which healthy tissue of one bone is alike, and how far along it.
_DEPTHS, _ALONG_MM = (0.75, 1.5, 2.5, 4.0, 6.0, 9.0), 30.0


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone within a crop of the CT.

    Args:
        site: its id.
        grid: of the crop.
        hu: float32 [slice, row, column].
        mask: the bone with what its lesions have eaten.
        lesions: id -> mask within ``mask``.
        cut: mask voxels that lie at the edge of the CT.
        notes: what was done to the mask.
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
        """The mask one or more voxels larger or smaller (by the smallest spacing), lesions as they are.

        A smaller one keeps dense voxels, and a larger one takes none as light as fat: ``snapped`` would undo both.
        """
        mask = shifted(self.mask, self.grid, voxels)
        if voxels < 0:
            mask |= self.mask & (self.hu >= DENSE_HU)
        else:
            mask &= self.mask | (self.hu >= LIGHT_HU)
        return self._within(mask)

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
        """With these lesions replaced by this bone's own healthy tissue at the same depth, near the same height.

        Raises:
            UnsuitableStudyError: there is no healthy tissue.
        """
        sick = np.zeros_like(self.mask)
        for name in names:
            sick |= self.lesions[name]
        if not sick.any():
            return self
        healthy = self.mask.copy()
        for part in self.lesions.values():
            healthy &= ~part
        hu = self.hu.copy()
        hu[sick] = _tissue(self, sick, healthy)
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
        UnsuitableStudyError: metal, a mask of several large pieces, or one with nothing denser than fat.
    """
    shape = image.grid.shape
    box = widened(part.box, _MARGIN, shape)
    grid = image.grid.crop(box)
    own = part.within(box)
    found = {name: lesion.within(box) for name, lesion in lesions}
    found = {name: mask for name, mask in found.items() if mask.any()}
    outline = own.copy()
    for mask in found.values():
        outline |= mask
    # A mask that leaves a large lesion out has a hole that no closing fills.
    hull = ndimage.binary_fill_holes(_closed(own, grid)) & outline
    whole, notes = _one_piece(own | hull, site)
    hu = np.asarray(image.values[box], np.float32)
    _refuse_metal(hu, whole, grid, site)
    edge = np.zeros_like(whole)
    for axis, (span, size) in enumerate(zip(box, shape, strict=True)):
        side = np.moveaxis(edge, axis, 0)
        side[0] |= span.start == 0
        side[-1] |= span.stop == size
    inside = {name: mask & whole for name, mask in found.items()}
    kept = {n: m for n, m in inside.items() if m.any()}
    made = Bone(site, grid, hu, whole, kept, whole & edge, notes).snapped()
    if not (made.hu[made.mask] >= LIGHT_HU).any():
        raise UnsuitableStudyError(f"load {site}", "nothing denser than fat in its mask", "Correct the bone's mask")
    lost = (f"lesion {name} has no voxel within the bone: left out" for name, _ in lesions if name not in made.lesions)
    return replace(made, notes=(*made.notes, *lost))


def shifted(mask: Mask, grid: Grid, voxels: int) -> Mask:
    """A mask larger or, below 0, smaller by so many voxels of the smallest spacing."""
    step = abs(voxels) * min(grid.spacing)
    out = voxels > 0
    far = edt.edt(~mask if out else mask, anisotropy=grid.spacing, black_border=False)
    return np.asarray(mask | (far <= step) if out else far > step)


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


def _refuse_metal(hu: Array, mask: Mask, grid: Grid, site: str) -> None:
    near = edt.edt(~mask, anisotropy=grid.spacing, black_border=False) <= _METAL_NEAR_MM
    volume = float(np.count_nonzero(near & (hu > METAL_HU))) * grid.cell
    if volume > _METAL_MM3:
        raise UnsuitableStudyError(
            f"load {site}", f"{volume:.0f} mm3 above {METAL_HU:.0f} HU in or at the bone: metal",
            "Strength is not given for bones with implants or cement",
        )  # fmt: skip


def _tissue(bone: Bone, sick: Mask, healthy: Mask) -> Array:
    """HU of healthy tissue for each sick voxel: the median at its depth, within 30 mm along the bone's long axis.

    Where a lesion holds all of a depth, as one in the middle of a small vertebra does, the nearest depth serves.
    """
    depth = np.digitize(edt.edt(bone.mask, anisotropy=bone.grid.spacing, black_border=False), _DEPTHS)
    spots = bone.grid.to_position(np.argwhere(bone.mask))
    _, axes = np.linalg.eigh(np.cov(spots.T))
    along = np.full(bone.mask.shape, np.nan)
    along[bone.mask] = spots @ axes[:, 2]
    values = np.empty(int(sick.sum()), np.float32)
    kind, height = depth[sick], along[sick]
    if not healthy.any():
        raise UnsuitableStudyError(
            f"heal the lesions of {bone.site}", "no healthy tissue left", "Compare with the other side instead"
        )
    deepest_first = np.unique(depth[healthy])[::-1]
    for n in np.unique(kind):
        own = healthy & (depth == deepest_first[np.argmin(np.abs(deepest_first - n))])
        values[kind == n] = _medians(along[own], bone.hu[own], height[kind == n])
    return values


def _medians(along: NDArray[np.float64], hu: Array, wanted: NDArray[np.float64], step: float = 4.0) -> Array:
    """Median of ``hu`` within ``_ALONG_MM`` of each wanted height, in steps; of all where fewer than 30 are near."""
    made = np.empty(len(wanted), np.float32)
    bins = np.round(wanted / step)
    for n in np.unique(bins):
        near = np.abs(along - n * step) <= _ALONG_MM
        made[bins == n] = np.median(hu[near] if np.count_nonzero(near) >= 30 else hu)
    return made
