"""A gamma camera with two heads: collimators, how a scan is set up, and where a body falls on its pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError

Floats = NDArray[np.float64]
CollimatorName = Literal["LEHR", "LEAP", "ME"]
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True)
class Collimator:
    """Parallel holes.

    Args:
        hole_mm: diameter.
        length_mm: effective length.
        septal: counts through septa per photon that leaves the body.
    """

    hole_mm: float
    length_mm: float
    septal: float


# Typical vendor values (priors). Septa: about 0.4 of all counts of a child come through them with LE holes, 0.07 with
# ME, which lowers contrast; the measured effect is in docs/background/mibg.md (S35).
COLLIMATORS: Mapping[CollimatorName, Collimator] = MappingProxyType(
    {
        "LEHR": Collimator(1.11, 23.0, 0.55),
        "LEAP": Collimator(1.45, 23.0, 0.55),
        "ME": Collimator(2.94, 38.0, 0.05),
    }
)


@dataclass(frozen=True)
class Camera:
    """How both views are acquired.

    Args:
        rows, columns, pixel_mm: matrix of each view.
        collimator: name in `COLLIMATORS`.
        drawn_holes: of a collimator that is in no table, instead of those of that name.
        anterior_counts: wanted total of the anterior view; the posterior follows with equal sensitivity.
        anterior_gap_mm, posterior_gap_mm: from the body's foremost or hindmost voxel to the collimator's face.
        field_width_mm: useful width of the detector; columns beyond hold no counts.
        top_margin_mm: from the first row to the uppermost voxel (crown or raised hand); negative cuts it off.
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
    top_margin_mm: float = 80.0
    scan_mm: float = 2100.0
    table_mm: float = 0.0
    intrinsic_fwhm_mm: float = 3.8
    scatter_share: float = 0.12
    scatter_fwhm_mm: float = 90.0
    septal_fwhm_mm: tuple[float, float] = (110.0, 330.0)
    drawn_holes: Collimator | None = None

    def __post_init__(self) -> None:
        sizes = (self.rows, self.columns, self.pixel_mm, self.anterior_counts, self.field_width_mm, self.scan_mm)
        if min(sizes) <= 0:
            raise InvalidValueError("build a Camera", f"sizes {sizes}", "Give numbers above 0")
        if self.collimator not in COLLIMATORS:
            raise InvalidValueError(
                "build a Camera", f"collimator {self.collimator!r}", f"Use one of {', '.join(COLLIMATORS)}"
            )

    @property
    def holes(self) -> Collimator:
        """What the photons pass."""
        return self.drawn_holes or COLLIMATORS[self.collimator]

    def fwhm_mm(self, distance_mm: float) -> float:
        """System resolution at a distance from the collimator's face: intrinsic and geometric width in quadrature.

        Geometric width hole x (length + distance) / length (Anger; Cherry, Physics in Nuclear Medicine, ch. 14).
        """
        geometric = self.holes.hole_mm * (self.holes.length_mm + distance_mm) / self.holes.length_mm
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

    row_edges: Floats
    column_edges: Floats
    slices: Floats
    columns: Floats
    step_mm: float
    seen: tuple[slice, slice]

    def pixel_of_slices(self) -> NDArray[np.int64]:
        """Row of each slice, -1 where the camera does not look."""
        return _pixel_of(self.slices, self.row_edges, self.seen[0])

    def pixel_of_columns(self) -> NDArray[np.int64]:
        """Column of each voxel column, -1 where the camera does not look."""
        return _pixel_of(self.columns, self.column_edges, self.seen[1])

    def looks_at(self, columns_mm: Floats) -> NDArray[np.bool_]:
        """Whether places along the rows, in mm from the first column, are within the field."""
        return np.asarray(_pixel_of(columns_mm, self.column_edges, self.seen[1]) >= 0)

    def widened(self, by: int) -> Field:
        """A detector of the same pixels that reaches `by` columns beyond the picture on each side."""
        pixel, count = self.column_edges[1] - self.column_edges[0], len(self.column_edges) - 1
        edges = np.concatenate(
            [pixel * np.arange(-by, 0), self.column_edges, pixel * np.arange(count + 1, count + by + 1)]
        )
        return replace(self, column_edges=edges, seen=(self.seen[0], slice(0, count + 2 * by)))

    def recorded(self, wide: NDArray[_T]) -> NDArray[_T]:
        """What the detector has of a picture of a widened one: its own columns, 0 beyond its edge."""
        count = len(self.column_edges) - 1
        by = (wide.shape[1] - count) // 2
        kept = wide[:, by : by + count].copy()
        kept[:, : self.seen[1].start] = kept[:, self.seen[1].stop :] = np.zeros((), dtype=wide.dtype)
        return kept


def _pixel_of(at: Floats, edges: Floats, seen: slice) -> NDArray[np.int64]:
    index = np.searchsorted(edges, at, side="right") - 1
    return np.where((index >= seen.start) & (index < seen.stop), index, -1)


def field_of(grid: Grid, camera: Camera, top_mm: float, middle_mm: float) -> Field:
    """Lay a body under the camera: its top (z) at the top margin, its middle (x) at the table's shift."""
    z, _, x = (np.arange(n) * s for n, s in zip(grid.shape, grid.spacing, strict=True))
    origin = grid.matrix[:3, 3]
    width = camera.columns * camera.pixel_mm
    row_edges = camera.pixel_mm * np.arange(camera.rows + 1, dtype=np.float64)
    column_edges = camera.pixel_mm * np.arange(camera.columns + 1, dtype=np.float64)
    aside = math.ceil(max(0.0, (width - camera.field_width_mm) / 2) / camera.pixel_mm - 1e-9)
    last_row = min(camera.rows, int(camera.scan_mm / camera.pixel_mm))
    return Field(
        row_edges,
        column_edges,
        top_mm - (origin[2] + z) + camera.top_margin_mm,
        origin[0] + x - middle_mm + width / 2 + camera.table_mm,
        grid.spacing[0],
        (slice(0, last_row), slice(aside, camera.columns - aside)),
    )
