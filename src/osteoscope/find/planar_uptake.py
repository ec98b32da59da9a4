"""Uptake on planar mIBG views: foci and diffuse areas of the skeleton, with organs set apart.

A place is hot where counts exceed normal tissue around it by a contrast and a significance. Hot places are
parted into basins around their peaks; basins with a shallow saddle between them are confluent. Small ones
are foci, large ones diffuse. A focus seen in both views is one finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.csgraph import connected_components
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

from osteoscope.domain.finding import Finding, FindingKind, Part, Point, Region, SetAside
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.find.detection import Detection
from osteoscope.find.planar_body import Array, BodyOptions, Mask, outline
from osteoscope.find.planar_counts import CountOptions, Counts, count_maps
from osteoscope.find.planar_model import grown
from osteoscope.find.planar_organs import Axes, axes, hot_organs, quiet_organ


@dataclass(frozen=True)
class UptakeOptions:
    """Choices of detection (engineering choices, no published source).

    Args:
        body, counts: of the outline and of the contrast maps.
        contrast, significance: least of a finding.
        apart: foci closer than this, in mm, are one.
        saddle: neighbouring peaks are confluent when the saddle between them is above this share of the lower.
        diffuse_area, diffuse_length: a lesion larger (mm2) or longer (mm) than this is diffuse.
        reach: a hot place belongs to a bone at most so far away, in mm.
        halo: rim around a bright organ, in mm, in which nothing is called a lesion.
        ceiling: normal level of each unit, muscle = 1, at most; above it the surroundings are diseased themselves.
    """

    body: BodyOptions = field(default_factory=BodyOptions)
    counts: CountOptions = field(default_factory=CountOptions)
    contrast: float = 0.3
    significance: float = 5.0
    apart: float = 8.0
    saddle: float = 0.75
    diffuse_area: float = 900.0
    diffuse_length: float = 45.0
    reach: float = 14.0
    halo: float = 8.0
    ceiling: Mapping[str, float] = field(default_factory=lambda: {"skull": 1.3, "trunk": 2.6, "limb": 1.5})


@dataclass(frozen=True, eq=False)
class _View:
    """One view, ready to be searched; arrays are on the elements of ``counts``."""

    name: str
    counts: Counts
    contrast: Array
    units: Mapping[str, Mask]
    axes: Axes | None
    organs: Mapping[str, Mask]

    @cached_property
    def far(self) -> tuple[tuple[str, ...], Array]:
        """Distance in mm to every unit, (unit, row, column), small units first."""
        names = tuple(sorted(self.units, key=lambda unit: int(self.units[unit].sum())))
        far = [ndimage.distance_transform_edt(~self.units[unit]) * self.counts.element for unit in names]
        return names, np.asarray(far)


@dataclass(frozen=True, eq=False)
class _Spot:
    """A hot place on one view.

    Args:
        view: its view.
        mask: its elements.
        peak: (row, column) element of its greatest contrast.
        contrast, significance: there.
    """

    view: _View
    mask: Mask
    peak: tuple[int, int]
    contrast: float
    significance: float


def find_uptake(study: Study, mapped: tuple[MappedSite, ...], options: UptakeOptions | None = None) -> Detection:
    """Skeletal foci and diffuse areas, soft-tissue disease, and physiological uptake set aside.

    Args:
        study: planar views; the tracer is taken to be mIBG.
        mapped: the site map of the study, from `planar_segments` or any other maker.
        options: see `UptakeOptions`.
    """
    chosen = options or UptakeOptions()
    views = [view for name in study.images if (view := _prepare(study, mapped, name, chosen))]
    spots = [spot for view in views for spot in _spots(view, chosen)]
    return _report(study, views, spots, chosen)


def _prepare(study: Study, mapped: tuple[MappedSite, ...], name: str, options: UptakeOptions) -> _View | None:
    image = study.images[name]
    found = outline(image.values, options.body)
    if not found.mask.any():
        return None
    at = axes(mapped, name, study.patient.age_years)
    counts = count_maps(image.values, found, _pixel_mm(study, name, at), options.counts)
    step, shape = counts.bin, counts.body.shape
    regions = {m.site: m.region.on(name) for m in mapped if m.region}
    units = {
        unit: part.full(image.grid.shape)[step // 2 :: step, step // 2 :: step][: shape[0], : shape[1]]
        for unit, part in regions.items()
        if part
    }
    scaled = at.scaled(step) if at else None
    contrast = _contrast(counts, units, options)
    organs = hot_organs(counts.level, contrast, scaled) if scaled else {}
    return _View(name, counts, contrast, units, scaled, organs)


def _pixel_mm(study: Study, name: str, at: Axes | None) -> float:
    grid = study.images[name].grid
    if grid.unit == "mm":
        return grid.spacing[0]
    age = study.patient.age_years
    years = 5.0 if age is None else age
    trunk = grown("stature_mm", years) * (grown("seat", years) - grown("neck_base", years))
    return trunk / at.trunk if at else 1024 * 2.4 / max(grid.shape)


def _contrast(counts: Counts, units: Mapping[str, Mask], options: UptakeOptions) -> Array:
    """Contrast over the surroundings, or over the ceiling of normal tissue where those are above it."""
    ceiling = np.full(counts.body.shape, options.ceiling["limb"])
    for unit, mask in units.items():
        kind = "limb" if "limb" in unit else "skull" if unit == "skull" else "trunk"
        near = ndimage.binary_dilation(mask, iterations=max(1, round(options.reach / counts.element)))
        ceiling[near & (ceiling < options.ceiling[kind])] = options.ceiling[kind]
    if "skull" in units:
        ceiling[units["skull"] & ~units.get("cervical_spine", np.zeros_like(units["skull"]))] = options.ceiling["skull"]
    return np.where(
        counts.body, np.maximum(counts.contrast, counts.level / np.minimum(counts.background, ceiling) - 1), 0
    )


def _spots(view: _View, options: UptakeOptions) -> list[_Spot]:
    """Hot places of a view: basins of contrast, confluent ones joined, each down to half of its peak."""
    contrast, element = view.contrast, view.counts.element
    hot = (contrast > options.contrast / 2) & view.counts.body
    for organ in view.organs.values():
        hot &= ~ndimage.binary_dilation(organ, iterations=max(1, round(options.halo / element)))
    distance = max(1, round(options.apart / element))
    peaks = peak_local_max(contrast, min_distance=distance, labels=hot.astype(int), exclude_border=False)
    high = contrast[tuple(peaks.T)]
    sure = view.counts.significance[tuple(peaks.T)]
    kept = (high >= options.contrast) & ((sure >= options.significance) | (high >= 2 * options.contrast))
    peaks, high, sure = peaks[kept], high[kept], sure[kept]
    if not len(peaks):
        return []
    markers = np.zeros(contrast.shape, dtype=int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    basins = watershed(-contrast, markers, mask=hot)
    cores = basins * (contrast >= np.concatenate([[np.inf], 0.5 * high])[basins])
    joined = _join(cores, contrast, high, options.saddle)
    return [_spot(view, np.flatnonzero(joined == k), cores, peaks, high, sure) for k in np.unique(joined)]


def _join(basins: NDArray[np.int64], contrast: Array, high: Array, saddle: float) -> NDArray[np.int64]:
    """Group number of each basin (numbered from 1, here from 0): neighbours with a shallow saddle are one group."""
    lowest = np.zeros((len(high), len(high)))
    for near, far in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        a, b = basins[near], basins[far]
        touch = (a != b) & (a > 0) & (b > 0)
        level = np.minimum(contrast[near], contrast[far])[touch]
        np.maximum.at(lowest, (a[touch] - 1, b[touch] - 1), level)
    lowest = np.maximum(lowest, lowest.T)
    linked = lowest > saddle * np.minimum(high[:, None], high[None])
    return connected_components(linked, directed=False)[1]


def _spot(
    view: _View,
    members: NDArray[np.int64],
    cores: NDArray[np.int64],
    peaks: NDArray[np.int64],
    high: Array,
    sure: Array,
) -> _Spot:
    best = members[np.argmax(high[members])]
    row, column = (int(v) for v in peaks[best])
    return _Spot(view, np.isin(cores, members + 1), (row, column), float(high[best]), float(sure[members].max()))


def _report(study: Study, views: list[_View], spots: list[_Spot], options: UptakeOptions) -> Detection:
    aside = [
        SetAside(organ, "physiological uptake", Region((_part(study, view, mask),)))
        for view in views
        for organ, mask in view.organs.items()
    ]
    foci: list[tuple[str, _Spot]] = []
    patches: dict[str, list[tuple[_Spot, Mask]]] = {}
    for spot in spots:
        organ = _organ(spot)
        if organ:
            aside.append(SetAside(organ, "physiological uptake", Region((_part(study, spot.view, spot.mask),))))
        elif _is_patch(spot, options):
            for unit, mask in _shared_out(spot, options).items():
                patches.setdefault(unit, []).append((spot, mask))
        else:
            foci.append((_unit_of(spot, options), spot))
    found = [*_foci(study, foci, options), *_patches(study, patches, options)]
    numbered = tuple(replace(finding, id=f"F{n + 1}") for n, finding in enumerate(found))
    return Detection(numbered, tuple(aside))


def _organ(spot: _Spot) -> str | None:
    at = spot.view.axes
    if at is None:
        return None
    organ = quiet_organ(at, *spot.peak)
    if organ is None:
        return None
    on_spine = any(spot.view.units[u][spot.peak] for u in _SPINE if u in spot.view.units)
    return None if on_spine or spot.contrast > 2.0 else organ


_SPINE = ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum")


def _is_patch(spot: _Spot, options: UptakeOptions) -> bool:
    element = spot.view.counts.element
    if spot.mask.sum() * element**2 > options.diffuse_area:
        return True
    spread = np.cov(np.argwhere(spot.mask).T * element, bias=True)
    return bool(4 * np.sqrt(np.linalg.eigvalsh(spread)[-1]) > options.diffuse_length)


def _unit_of(spot: _Spot, options: UptakeOptions) -> str:
    names, far = spot.view.far
    at = far[:, spot.peak[0], spot.peak[1]]
    return names[int(np.argmin(at))] if len(names) and at.min() <= options.reach else "soft_tissue"


def _shared_out(spot: _Spot, options: UptakeOptions) -> dict[str, Mask]:
    """The units that a large hot place covers; the elements of each."""
    names, far = spot.view.far
    if not names:
        return {"soft_tissue": spot.mask}
    nearest = np.where(far.min(axis=0) <= options.reach, far.argmin(axis=0), len(names))
    size = spot.mask.sum()
    shares = {unit: spot.mask & (nearest == n) for n, unit in enumerate((*names, "soft_tissue"))}
    least = min(0.25 * size, options.diffuse_area / spot.view.counts.element**2)
    return {unit: mask for unit, mask in shares.items() if mask.sum() >= least}


def _part(study: Study, view: _View, mask: Mask) -> Part:
    size = view.counts.bin
    shape = study.images[view.name].grid.shape
    fine = np.zeros(shape, dtype=bool)
    grown_mask = np.kron(mask, np.ones((size, size), dtype=bool))
    fine[: grown_mask.shape[0], : grown_mask.shape[1]] = grown_mask[: shape[0], : shape[1]]
    return Part.from_mask(view.name, fine)


def _confidence(contrast: float, significance: float) -> float:
    return float(1 / (1 + np.exp(-(3 * (contrast - 0.45) + 0.25 * (significance - 7)))))


def _foci(study: Study, foci: list[tuple[str, _Spot]], options: UptakeOptions) -> list[Finding]:
    left = sorted(foci, key=lambda pair: -pair[1].contrast)
    found = []
    while left:
        unit, spot = left.pop(0)
        twin = next((k for k, (_, other) in enumerate(left) if _same(spot, other, options)), None)
        pair = [spot] if twin is None else [spot, left.pop(twin)[1]]
        doubt = np.prod([1 - _confidence(s.contrast, s.significance) for s in pair])
        found.append(_finding(study, unit, "focal", float(1 - doubt), [_part(study, s.view, s.mask) for s in pair]))
    return found


def _same(spot: _Spot, other: _Spot, options: UptakeOptions) -> bool:
    if spot.view.name == other.view.name or spot.view.axes is None or other.view.axes is None:
        return False
    places = [np.asarray(s.view.axes.trunk_coordinates(*np.asarray(s.peak, dtype=float))) for s in (spot, other)]
    trunk = spot.view.axes.trunk * spot.view.counts.element
    return bool(np.linalg.norm(places[0] - places[1]) * trunk < 2 * options.apart)


def _patches(study: Study, patches: Mapping[str, list[tuple[_Spot, Mask]]], options: UptakeOptions) -> list[Finding]:
    found = []
    for unit, pieces in patches.items():
        parts = []
        for view in {id(spot.view): spot.view for spot, _ in pieces}.values():
            mask = np.any([m for spot, m in pieces if spot.view is view], axis=0)
            parts.append(_part(study, view, _filled(view, unit, mask, options)))
        best = max(_confidence(s.contrast, s.significance) for s, _ in pieces)
        found.append(_finding(study, unit, "diffuse", best, parts))
    return found


def _filled(view: _View, unit: str, mask: Mask, options: UptakeOptions) -> Mask:
    """The hot elements and the bone beside them: the site map may lie beside the hot bone."""
    if unit not in view.units:
        return mask
    beside = ndimage.distance_transform_edt(~mask) * view.counts.element <= options.apart
    return np.asarray(mask | (beside & view.units[unit]))


def _finding(study: Study, unit: str, kind: FindingKind, confidence: float, parts: list[Part]) -> Finding:
    centre = Point.centre_of(parts[0], study.images[parts[0].image].grid)
    return Finding("F0", unit, kind, min(confidence, 1.0), Region(tuple(parts)), centre)
