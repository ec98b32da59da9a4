"""Phantoms of bones with lesions in them: a spine, a shaft, and the same place on arrays that lie otherwise."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding, FindingKind, Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite
from osteoscope.domain.study import Patient, Study

Mask = NDArray[np.bool_]
TURNS = [(axes, flips) for axes in itertools.permutations(range(3)) for flips in itertools.product((1, -1), repeat=3)]
SPINE = Grid.axial((96, 80, 64), (1.0, 1.0, 1.0), (-32, -30, 0))
LEG = Grid.axial((120, 44, 44), (2.0, 1.0, 1.0), (-22, -22, 0))


def turned(grid: Grid, mask: Mask, axes: tuple[int, ...], flips: tuple[int, ...]) -> tuple[Grid, Mask]:
    """The same place in space on an array with axes swapped and flipped."""
    matrix = grid.matrix.copy()
    matrix[:, :3] = grid.matrix[:, axes]
    shape = [grid.shape[a] for a in axes]
    array = mask.transpose(axes)
    for axis, flip in enumerate(flips):
        if flip < 0:
            matrix[:3, 3] += matrix[:3, axis] * (shape[axis] - 1)
            matrix[:, axis] *= -1
            array = np.flip(array, axis)
    return Grid.from_matrix(shape, matrix), array


def case_of(
    grid: Grid,
    bones: dict[str, Mask],
    lesions: list[tuple[str, Mask]],
    kind: FindingKind = "lytic",
    hu: NDArray[np.int16] | None = None,
) -> Case:
    values = np.zeros(grid.shape, dtype=np.int16) if hu is None else hu
    study = Study("1.2", "ct", "", Patient("p"), {"ct": Image(grid, values, "HU")})
    places = tuple(MappedSite(site, Region((Part.from_mask("ct", mask),))) for site, mask in bones.items())
    findings = []
    for number, (site, mask) in enumerate(lesions):
        part = Part.from_mask("ct", mask)
        findings.append(Finding(f"f{number}", site, kind, 0.9, Region((part,)), Point.centre_of(part, grid)))
    return Case(study, places, tuple(findings))


def named(measures: tuple[Measure, ...]) -> dict[str, Measure]:
    return {m.name: m for m in measures}


def values(measures: tuple[Measure, ...]) -> dict[str, float]:
    return {m.name: m.value for m in measures}


def vertebra(low: int, high: int) -> Mask:
    """A body of 30 x 40 mm before a canal of 16 x 20 mm with walls of 6 mm; open to the sides in its lower quarter."""
    mask = np.zeros(SPINE.shape, dtype=bool)
    mask[low:high, 5:35, 12:52] = True
    arch = low + (high - low) // 4
    mask[arch:high, 35:57, 16:48] = True
    mask[arch:high, 35:51, 22:42] = False
    return mask


def block(grid: Grid, *box: tuple[int, int]) -> Mask:
    mask = np.zeros(grid.shape, dtype=bool)
    mask[tuple(slice(*span) for span in box)] = True
    return mask


def in_spine(lesion: Mask, kind: FindingKind = "lytic", height: int = 24) -> Case:
    bones = {"vertebra_L1": vertebra(66, 90), "vertebra_L2": vertebra(36, 36 + height), "vertebra_L3": vertebra(6, 30)}
    return case_of(SPINE, bones, [("vertebra_L2", lesion)], kind)


def shaft(grid: Grid, tilt: float = 0.0, inner: float = 0.0) -> tuple[Mask, NDArray[np.float64]]:
    """A round bar of radius 14 mm along z, and the angle of every voxel about its axis."""
    z, y, x = np.moveaxis(grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)[::-1]
    off = tilt * (z - z.mean())
    return np.asarray(np.hypot(y, x - off) <= 14) & np.asarray(np.hypot(y, x - off) >= inner), np.arctan2(y, x - off)


def one(grid: Grid, site: str, bone: Mask, lesion: Mask) -> tuple[Case, Finding]:
    case = case_of(grid, {site: bone}, [(site, lesion)])
    return case, case.findings[0]
