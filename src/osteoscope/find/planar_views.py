"""One planar view made ready for the search for hot places: contrast over normal tissue, bones, organs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from osteoscope.domain.finding import Part
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.find.planar_body import Array, BodyOptions, Mask, outline
from osteoscope.find.planar_counts import CountOptions, Counts, count_maps
from osteoscope.find.planar_model import grown
from osteoscope.find.planar_organs import Axes, axes, hot_organs

NOWHERE = 1000.0  # mm, further than anything on an image


_CEILINGS = {
    "skull": 1.5, "cervical_spine": 1.8, "thoracic_spine": 2.2, "lumbar_spine": 2.5, "sacrum": 2.2,
    "thoracic_cage": 2.0, "pelvis": 1.7,
}  # fmt: skip


@dataclass(frozen=True)
class SpotOptions:
    """Choices of the search for hot places (engineering choices, no published source); lengths in mm.

    Args:
        body, counts: of the outline and of the contrast maps.
        contrast, significance: least of a peak.
        apart: peaks closer than this are one.
        saddle: neighbouring peaks are confluent when the saddle between them is above this share of the lower.
        alike: and when the lower is above this share of the higher.
        diffuse_area, diffuse_length: a hot place larger (mm2) or longer than this is no focus.
        least_share: a large place belongs to a bone that holds a peak and this share of it.
        reach: a hot place belongs to a bone at most so far away.
        halo: rim around a bright organ in which no peak is looked for.
        ceilings, limb_ceiling: normal level at most (muscle = 1) by unit; surroundings above it are diseased.
    """

    body: BodyOptions = field(default_factory=BodyOptions)
    counts: CountOptions = field(default_factory=CountOptions)
    contrast: float = 0.28
    significance: float = 3.8
    apart: float = 8.0
    saddle: float = 0.75
    alike: float = 0.4
    diffuse_area: float = 900.0
    diffuse_length: float = 45.0
    least_share: float = 0.15
    reach: float = 14.0
    halo: float = 8.0
    ceilings: Mapping[str, float] = field(default_factory=lambda: dict(_CEILINGS))
    limb_ceiling: float = 1.3
    least_hot: float = 0.25
    muscle: float = 0.4


@dataclass(frozen=True, eq=False)
class View:
    """One view, ready to be searched; arrays are on the elements of ``counts``.

    Args:
        name: "anterior" or "posterior".
        shape: of the image, in pixels.
        counts: its maps.
        contrast: over normal tissue; 0 outside the body.
        units: silhouettes of the site map.
        axes: the body's coordinates, None where the trunk is not on the view.
        organs: bright organs.
    """

    name: str
    shape: tuple[int, ...]
    counts: Counts
    contrast: Array
    units: Mapping[str, Mask]
    axes: Axes | None
    organs: Mapping[str, Mask]

    @cached_property
    def near(self) -> tuple[tuple[str, ...], Array]:
        """Distance in mm to every unit, (unit, row, column), small units first."""
        names = tuple(sorted(self.units, key=lambda unit: int(self.units[unit].sum())))
        return names, np.asarray([self._distance(self.units[unit]) for unit in names])

    @cached_property
    def organ_distance(self) -> Array:
        """Distance in mm to the nearest bright organ."""
        return self._distance(np.any([np.zeros(self.contrast.shape, bool), *self.organs.values()], axis=0))

    def _distance(self, mask: Mask) -> Array:
        if not mask.any():
            return np.full(mask.shape, NOWHERE)
        return np.asarray(ndimage.distance_transform_edt(~mask) * self.counts.element)

    def part(self, mask: Mask) -> Part:
        """Elements as pixels of the image."""
        size = self.counts.bin
        pixels = np.zeros(self.shape, dtype=bool)
        fine = np.kron(mask, np.ones((size, size), dtype=bool))[: self.shape[0], : self.shape[1]]
        pixels[: fine.shape[0], : fine.shape[1]] = fine
        return Part.from_mask(self.name, pixels)


def prepare(study: Study, mapped: tuple[MappedSite, ...], name: str, options: SpotOptions) -> View | None:
    """A view made ready; None where there is no body on it."""
    image = study.images[name]
    found = outline(image.values, options.body)
    if not found.mask.any():
        return None
    at = axes(mapped, name, study.patient.age_years)
    counts = count_maps(image.values, found, _pixel_mm(study, name, at), options.counts)
    regions = {m.site: m.region.on(name) for m in mapped if m.region}
    units = {unit: _on_elements(part, image.grid.shape, counts) for unit, part in regions.items() if part}
    muscle = _muscle(counts, units, options)
    counts = replace(counts, level=counts.level / muscle, background=counts.background / muscle)
    contrast = _contrast(counts, units, options)
    scaled = at.scaled(counts.bin) if at else None
    organs = hot_organs(counts.level, contrast, scaled) if scaled else {}
    return View(name, image.grid.shape, counts, contrast, units, scaled, organs)


def _pixel_mm(study: Study, name: str, at: Axes | None) -> float:
    grid, age = study.images[name].grid, study.patient.age_years
    if grid.unit == "mm":
        return grid.spacing[0]
    years = 5.0 if age is None else age
    trunk = grown("stature_mm", years) * (grown("seat", years) - grown("neck_base", years))
    return trunk / at.trunk if at else 1024 * 2.4 / max(grid.shape)


def _on_elements(part: Part, shape: tuple[int, ...], counts: Counts) -> Mask:
    start, step = counts.bin // 2, counts.bin
    rows, columns = counts.body.shape
    return part.full(shape)[start::step, start::step][:rows, :columns]


def _muscle(counts: Counts, units: Mapping[str, Mask], options: SpotOptions) -> float:
    """Level of tissue of the limbs that is not hot: disease of the trunk or of many bones does not move it."""
    limbs = [mask for unit, mask in units.items() if "limb" in unit and mask.any()]
    others = [mask for unit, mask in units.items() if "limb" not in unit]
    if not limbs:
        return 1.0
    grow = max(1, round(options.reach / counts.element))

    def around(masks: list[Mask], times: int) -> Mask:
        return np.asarray(
            ndimage.binary_dilation(np.any([np.zeros_like(counts.body), *masks], axis=0), iterations=times)
        )

    hot = ndimage.binary_dilation(counts.contrast > options.least_hot, iterations=grow // 2)
    tissue = around(limbs, 2 * grow) & ~around(others, grow) & ndimage.binary_erosion(counts.body, iterations=grow // 2)
    cold = tissue & ~hot
    chosen = cold if cold.sum() > 0.1 * tissue.sum() else tissue
    return float(np.quantile(counts.level[chosen], options.muscle)) if chosen.any() else 1.0


def _contrast(counts: Counts, units: Mapping[str, Mask], options: SpotOptions) -> Array:
    """Contrast over the surroundings, or over the ceiling of normal tissue where they are above it."""
    ceiling = np.full(counts.body.shape, options.limb_ceiling)
    grow = max(1, round(options.reach / counts.element))
    for unit, level in sorted(options.ceilings.items(), key=lambda item: item[1]):
        if unit in units:
            ceiling[ndimage.binary_dilation(units[unit], iterations=grow)] = level
    over = counts.level / np.minimum(counts.background, ceiling) - 1
    return np.where(counts.body, np.maximum(counts.contrast, over), 0.0)
