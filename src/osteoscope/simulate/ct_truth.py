"""The truth Reading of a simulated CT: what was painted, measured on its true shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist, squareform

from osteoscope.domain.finding import Finding, Measure, Part, Point, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import MappedSite, Provenance, Reader, Reading, SiteReading, StudyRecord
from osteoscope.domain.study import Study
from osteoscope.simulate.ct_canvas import PlacedBone
from osteoscope.simulate.ct_lesions import PlacedLesion
from osteoscope.simulate.ct_mimics import PlacedMimic

METHOD = "true shape"
_CUT = "cut by the field of view"


def mapped_sites(bones: Sequence[PlacedBone], grid: Grid) -> tuple[MappedSite, ...]:
    """The true masks of all bones that have a voxel in the field."""
    found = []
    for bone in bones:
        mask = bone.mask
        if mask.any():
            part = Part.from_mask("ct", mask, tuple(s.start for s in bone.box))
            notes = (_CUT,) if _touches_edge(part, grid) else ()
            found.append(MappedSite(bone.bone.site, Region((part,)), notes=notes))
    return tuple(found)


def _touches_edge(part: Part, grid: Grid) -> bool:
    return any(s.start == 0 or s.stop == n for s, n in zip(part.box, grid.shape, strict=True))


def truth(
    study: Study,
    mapped: Sequence[MappedSite],
    implants: tuple[Sequence[PlacedLesion], Sequence[PlacedMimic]],
    provenance: Provenance,
) -> Reading:
    """Lesions as findings with their masks and true sizes, mimics set aside; every bone in the field is assessed."""
    lesions, mimics = implants
    grid = study.images["ct"].grid
    findings = tuple(_finding(f"lesion-{n}", placed, grid) for n, placed in enumerate(lesions, 1))
    sites = tuple(
        SiteReading(m.site, "assessed", evidence=tuple(f.id for f in findings if f.site == m.site), notes=m.notes)
        for m in mapped
    )
    total = sum(m.value for f in findings for m in f.measures if m.name == "volume")
    measures = (
        Measure("lesion_count", len(findings), "{count}", METHOD),
        Measure("lesion_volume", round(total, 4), "mL", METHOD),
    )
    reader = Reader("truth", "osteoscope simulator")
    aside = tuple(_set_aside(mimic) for mimic in mimics)
    return Reading(StudyRecord.of(study), reader, findings, sites, measures, provenance, aside)


def _set_aside(placed: PlacedMimic) -> SetAside:
    part = Part.from_mask("ct", placed.mask, tuple(s.start for s in placed.box))
    return SetAside(f"{placed.mimic.kind} of {placed.mimic.site}", "benign", Region((part,)))


def _finding(identifier: str, placed: PlacedLesion, grid: Grid) -> Finding:
    part = Part.from_mask("ct", placed.mask, tuple(s.start for s in placed.box))
    volume, long_axis, short_axis = true_size(placed.distance, grid.spacing)
    measures = (
        Measure("volume", volume, "mL", METHOD),
        Measure("long_axis", long_axis, "mm", METHOD),
        Measure("short_axis", short_axis, "mm", METHOD),
    )
    lesion = placed.lesion
    return Finding(identifier, lesion.site, lesion.kind, 1.0, Region((part,)), Point.centre_of(part, grid), measures)


def true_size(distance: NDArray[np.float32], spacing: Sequence[float]) -> tuple[float, float, float]:
    """Volume (mL), longest axial diameter and the longest one at right angles to it in its slice (mm).

    The distance field (mm, spacing in array order) is refined to about half a millimetre first.
    """
    fine = max(0.4, max(n * d for n, d in zip(distance.shape, spacing, strict=True)) / 200)
    refined = zoom(distance, [d / fine for d in spacing], order=1, grid_mode=True, mode="nearest") < 0
    cell = [n * d / m for n, d, m in zip(distance.shape, spacing, refined.shape, strict=True)]
    volume = max(float(refined.sum()), 1.0) * float(np.prod(cell)) / 1000
    best = max((_axes(np.argwhere(plane) * cell[1:]) for plane in refined if plane.any()), default=(cell[2], cell[2]))
    return round(volume, 5), round(best[0], 2), round(best[1], 2)


def _axes(points: NDArray[np.float64]) -> tuple[float, float]:
    try:
        hull = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        hull = points
    if len(hull) < 2:
        return 0.4, 0.4
    apart = squareform(pdist(hull))
    a, b = np.unravel_index(int(np.argmax(apart)), apart.shape)
    along = (hull[b] - hull[a]) / apart[a, b]
    across = points @ np.array([-along[1], along[0]])
    return float(apart[a, b]), _longest_chord(points @ along, across)


def _longest_chord(along: NDArray[np.float64], across: NDArray[np.float64]) -> float:
    """Longest extent across the long axis among thin bands along it."""
    band = np.round(along / 0.6).astype(int)
    band -= band.min()
    low, high = np.full(band.max() + 1, np.inf), np.full(band.max() + 1, -np.inf)
    np.minimum.at(low, band, across)
    np.maximum.at(high, band, across)
    return float(np.max(high - low))
