"""A gamma camera with two heads over a lying patient: from activity in voxels to expected counts in pixels.

Parallel-hole projection with attenuation through the real tissue, depth-dependent Gaussian blur, scatter and septal
penetration. Activity is summed in slabs of depth, each blurred once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError

# Narrow beam, water at 159 keV (xraydb, xraylib: 0.1478 /cm). Scatter is added on its own, so no broad-beam value.
WATER_PER_MM = 0.0148

_FWHM = 2.0 * float(np.sqrt(2.0 * np.log(2.0)))
_SLAB_MM = 10.0
_COARSE_MM = 12.0
_WIDE_MARGIN_MM = 240.0

Reals = NDArray[np.floating[Any]]
CollimatorName = Literal["LEHR", "LEAP", "ME"]


@dataclass(frozen=True)
class Collimator:
    """Parallel holes.

    Args:
        hole_mm: diameter.
        length_mm: effective length.
        septal_share: share of all counts that came through septa.
    """

    hole_mm: float
    length_mm: float
    septal_share: float


# Holes: typical vendor values. Shares: set so that a heart-to-mediastinum ratio shrinks as in docs/background/mibg.md
# 3.2 (S35: LE 0.55-0.61, ME 0.82-0.90 of the true contrast).
COLLIMATORS: Mapping[CollimatorName, Collimator] = MappingProxyType(
    {
        "LEHR": Collimator(1.11, 23.0, 0.34),
        "LEAP": Collimator(1.45, 23.0, 0.34),
        "ME": Collimator(2.94, 38.0, 0.08),
    }
)


@dataclass(frozen=True)
class Camera:
    """How both views are acquired.

    Args:
        rows, columns, pixel_mm: matrix of each view.
        collimator: name in `COLLIMATORS`.
        anterior_counts: wanted total of the anterior view; the posterior follows with equal sensitivity.
        anterior_gap_mm, posterior_gap_mm: from the body's foremost or hindmost voxel to the collimator's face.
        field_width_mm: useful width of the detector; columns beyond hold no counts.
        head_margin_mm: from the first row to the crown; negative cuts the head off.
        scan_mm: length of the sweep from the first row; rows beyond hold no counts.
        table_mm: shift of the patient towards the left of the table (to the right in the anterior view).
        intrinsic_fwhm_mm: resolution of the crystal.
        scatter_share: of the photons lost to attenuation, the share that is counted elsewhere.
        scatter_fwhm_mm, septal_fwhm_mm: width of the wide kernels.

    Raises:
        InvalidValueError: a size is not positive, or the collimator is unknown.
    """

    rows: int = 1024
    columns: int = 256
    pixel_mm: float = 2.4
    collimator: CollimatorName = "ME"
    anterior_counts: float = 6.5e5
    anterior_gap_mm: float = 25.0
    posterior_gap_mm: float = 40.0
    field_width_mm: float = 533.0
    head_margin_mm: float = 80.0
    scan_mm: float = 2100.0
    table_mm: float = 0.0
    intrinsic_fwhm_mm: float = 3.8
    scatter_share: float = 0.12
    scatter_fwhm_mm: float = 90.0
    septal_fwhm_mm: tuple[float, float] = (70.0, 260.0)

    def __post_init__(self) -> None:
        sizes = (self.rows, self.columns, self.pixel_mm, self.anterior_counts, self.field_width_mm, self.scan_mm)
        if min(sizes) <= 0:
            raise InvalidValueError("build a Camera", f"sizes {sizes}", "Give numbers above 0")
        if self.collimator not in COLLIMATORS:
            raise InvalidValueError(
                "build a Camera", f"collimator {self.collimator!r}", f"Use one of {', '.join(COLLIMATORS)}"
            )

    def fwhm_mm(self, distance_mm: float) -> float:
        """System resolution at a distance from the collimator's face: intrinsic and geometric width in quadrature.

        Geometric width hole x (length + distance) / length (Anger; Cherry, Physics in Nuclear Medicine, ch. 14).
        """
        holes = COLLIMATORS[self.collimator]
        geometric = holes.hole_mm * (holes.length_mm + distance_mm) / holes.length_mm
        return float(np.hypot(self.intrinsic_fwhm_mm, geometric))


@dataclass(frozen=True, eq=False)
class Field:
    """Where the voxels of a body fall on the anterior view.

    Args:
        row_edges, column_edges: of each pixel, mm from the first row and the first column.
        slices, columns: centre of each voxel along z and x, in the same mm.
        step_mm: voxel size.
        seen: (first, last) row and column with counts, as slices.
    """

    row_edges: NDArray[np.float64]
    column_edges: NDArray[np.float64]
    slices: NDArray[np.float64]
    columns: NDArray[np.float64]
    step_mm: float
    seen: tuple[slice, slice]

    def pixel_of_slices(self) -> NDArray[np.int64]:
        """Row of each slice, -1 where the camera does not look."""
        return _pixel_of(self.slices, self.row_edges, self.seen[0])

    def pixel_of_columns(self) -> NDArray[np.int64]:
        """Column of each voxel column, -1 where the camera does not look."""
        return _pixel_of(self.columns, self.column_edges, self.seen[1])


def _pixel_of(at: NDArray[np.float64], edges: NDArray[np.float64], seen: slice) -> NDArray[np.int64]:
    index = np.searchsorted(edges, at, side="right") - 1
    return np.where((index >= seen.start) & (index < seen.stop), index, -1)


def field_of(grid: Grid, camera: Camera, crown_mm: float, middle_mm: float) -> Field:
    """Lay a body under the camera: its crown (z) at the head margin, its middle (x) at the table's shift."""
    z, _, x = (np.arange(n) * s for n, s in zip(grid.shape, grid.spacing, strict=True))
    origin = grid.matrix[:3, 3]
    width = camera.columns * camera.pixel_mm
    row_edges = camera.pixel_mm * np.arange(camera.rows + 1, dtype=np.float64)
    column_edges = camera.pixel_mm * np.arange(camera.columns + 1, dtype=np.float64)
    aside = max(0.0, (width - camera.field_width_mm) / 2)
    used = column_edges[(column_edges >= aside - 1e-6) & (column_edges <= width - aside + 1e-6)] / camera.pixel_mm
    last_row = min(camera.rows, int(camera.scan_mm / camera.pixel_mm))
    return Field(
        row_edges,
        column_edges,
        crown_mm - (origin[2] + z) + camera.head_margin_mm,
        origin[0] + x - middle_mm + width / 2 + camera.table_mm,
        grid.spacing[0],
        (slice(0, last_row), slice(round(float(used[0])), round(float(used[-1])))),
    )


def expose(activity: Reals, attenuation: Reals, field: Field, camera: Camera) -> Mapping[str, NDArray[np.float64]]:
    """Expected counts of both views, [row, column], the posterior as seen from behind.

    Args:
        activity: per voxel [slice, row, column], any unit.
        attenuation: per voxel, 1/mm.
        field: where the voxels fall.
        camera: both heads; its anterior_counts scales the result.
    """
    step = field.step_mm
    passed = np.cumsum(attenuation, axis=1, dtype=np.float32)
    total = passed[:, -1:, :]
    own = attenuation / 2
    views = {
        "anterior": _view(activity, (passed - own) * step, camera.anterior_gap_mm, field, camera),
        "posterior": _view(
            activity[:, ::-1], ((total - passed) + own)[:, ::-1] * step, camera.posterior_gap_mm, field, camera
        )[:, ::-1],
    }
    views["posterior"] = np.ascontiguousarray(views["posterior"])
    scale = camera.anterior_counts / max(float(views["anterior"].sum()), 1e-30)
    return MappingProxyType({name: view * scale for name, view in views.items()})


def detect(expected: Mapping[str, NDArray[np.float64]], rng: np.random.Generator) -> Mapping[str, NDArray[np.int32]]:
    """Poisson counts of both views."""
    return MappingProxyType({name: rng.poisson(view).astype(np.int32) for name, view in expected.items()})


def _view(activity: Reals, depth: Reals, gap_mm: float, field: Field, camera: Camera) -> NDArray[np.float64]:
    """One view; `activity` and optical `depth` are ordered with the side that faces the camera first."""
    step = field.step_mm
    reaching = activity * np.exp(-depth)
    starts = np.arange(0, activity.shape[1], max(1, round(_SLAB_MM / step)))
    slabs = np.add.reduceat(reaching, starts, axis=1)
    ends = np.append(starts[1:], activity.shape[1])
    margin = int(np.ceil(2 * camera.fwhm_mm(gap_mm + step * activity.shape[1]) / step))
    pad = ((margin, margin), (margin, margin))
    sharp = np.zeros([n + 2 * margin for n in (activity.shape[0], activity.shape[2])], dtype=np.float64)
    for n, (start, end) in enumerate(zip(starts, ends, strict=True)):
        sigma = camera.fwhm_mm(gap_mm + step * (start + end) / 2) / _FWHM
        # The hat that voxels are resampled with has a variance of step^2 / 6: it is part of the wanted width.
        left = np.sqrt(max(sigma**2 - step**2 / 6, 0.0)) / step
        sharp += gaussian_filter(np.pad(slabs[:, n], pad), left, mode="constant")
    emitted, primary = activity.sum(axis=1), slabs.sum(axis=1)
    wide = _wide(emitted, primary, field, camera)
    return _on_pixels(sharp, field, step, margin) + wide


def _wide(emitted: Reals, primary: Reals, field: Field, camera: Camera) -> NDArray[np.float64]:
    """Scatter and septal penetration, on a coarse plane since their kernels are wide."""
    block = max(1, round(_COARSE_MM / field.step_mm))
    step = block * field.step_mm
    margin = int(np.ceil(_WIDE_MARGIN_MM / step))
    scattered = camera.scatter_share * _blocks(emitted - primary, block, margin)
    through = _blocks((emitted + primary) / 2, block, margin)
    share = COLLIMATORS[camera.collimator].septal_share
    counted = float(primary.sum()) + float(scattered.sum())
    tail = through * (share / (1 - share) * counted / max(float(through.sum()), 1e-30))
    plane = gaussian_filter(scattered, camera.scatter_fwhm_mm / _FWHM / step, mode="constant")
    for width in camera.septal_fwhm_mm:
        plane += gaussian_filter(tail / len(camera.septal_fwhm_mm), width / _FWHM / step, mode="constant")
    return _on_pixels(plane, field, step, margin)


def _blocks(plane: Reals, block: int, margin: int) -> NDArray[np.float64]:
    summed = np.add.reduceat(
        np.add.reduceat(plane, np.arange(0, plane.shape[0], block), axis=0), np.arange(0, plane.shape[1], block), axis=1
    )
    return np.pad(summed.astype(np.float64), margin)


def _on_pixels(plane: NDArray[np.float64], field: Field, step: float, margin: int) -> NDArray[np.float64]:
    """Counts per pixel of a plane of cells, each spread as a hat of its own size; outside the field 0."""
    lead = (step - field.step_mm) / 2 - margin * step
    row_at = field.slices[0] - lead - step * np.arange(plane.shape[0])
    column_at = field.columns[0] + lead + step * np.arange(plane.shape[1])
    rows, columns = field.seen
    picture = np.zeros((len(field.row_edges) - 1, len(field.column_edges) - 1))
    down = _shares(row_at, field.row_edges[rows.start : rows.stop + 1], step)
    right = _shares(column_at, field.column_edges[columns.start : columns.stop + 1], step)
    picture[rows, columns] = down @ plane @ right.T
    return picture


def _shares(at: NDArray[np.float64], edges: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Share of each cell that falls into each pixel, shape (pixels, cells)."""
    u = np.clip((edges[:, None] - at[None, :]) / step, -1, 1)
    below = np.where(u < 0, (1 + u) ** 2 / 2, 1 - (1 - u) ** 2 / 2)
    return np.diff(below, axis=0)
