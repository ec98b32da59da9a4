"""Site map of a planar study: every bone unit on both views, by a body-proportion model.

The outlines of the views are laid on each other, a capsule child is fitted to them (`planar_pose`), and its
bones are drawn on each view.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SKELETAL_UNITS
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.in_part import in_field, note_of_part
from osteoscope.domain.reading import MappedSite, Status
from osteoscope.domain.study import Study
from osteoscope.find.planar_body import BodyOptions, Frame, frame
from osteoscope.find.planar_caveats import unfit, unpaired
from osteoscope.find.planar_model import Prior, grown
from osteoscope.find.planar_pose import Fit, PoseOptions, fit
from osteoscope.find.planar_shapes import bone_capsules, distance, trunk_capsules
from osteoscope.find.planar_square import site_moved, squared

Array = NDArray[np.float64]
Points = NDArray[np.float64]

UNITS = SKELETAL_UNITS


@dataclass(frozen=True)
class SegmentOptions:
    """Choices of the site map (engineering choices, no published source).

    Args:
        body, pose: of the outline and of the fit.
        stature_spread: relative spread of stature for age, where pixels have a size.
        least_seen: a unit with less than this share of its area in the field is not acquired.
        all_seen: below this share, a note says that it was seen in part, and how much of it is in the field.
        most_hidden: a limb with more than this share of its area over the trunk is not assessable.
        good_fit, poor_fit: share of the body's area that the model misses or adds; above the first the image
            is tried another way up, above the second nothing is assessable.
        clearly_better: another way up is believed when it misses so much less.
        poor_pairing: least overlap of the two outlines before the views are said not to match.
    """

    body: BodyOptions = field(default_factory=BodyOptions)
    pose: PoseOptions = field(default_factory=PoseOptions)
    stature_spread: float = 0.08
    least_seen: float = 0.5
    all_seen: float = 0.9
    most_hidden: float = 0.75
    good_fit: float = 0.13
    poor_fit: float = 0.3
    clearly_better: float = 0.03
    poor_pairing: float = 0.7


def map_segments(study: Study, options: SegmentOptions | None = None) -> tuple[MappedSite, ...]:
    """Every unit of `SKELETAL_UNITS`, as Regions on the views of a study.

    A unit out of the field has no region and the status "not_acquired". One that is hidden, or one of a body
    that the model does not fit (lying, upside down, no body), or of a study that cannot be read at all
    (`planar_caveats.unfit`), is "not_assessable" and says why.
    """
    chosen, square = options or SegmentOptions(), squared(study)
    body = frame(square, chosen.body)
    if body is None:
        return _unmapped("no body found on the images")
    why = unfit(square)
    if why:
        return _unmapped(why)
    found = _fit(square, body, chosen)
    why = _problem(square, body, found, chosen) or unpaired(square)
    if why:
        return _unmapped(why)
    notes, mapper = _notes(body, chosen), _Mapper(square, body, found, chosen)
    return tuple(site_moved(mapper.site(unit, notes), square, study) for unit in UNITS)


def _unmapped(why: str) -> tuple[MappedSite, ...]:
    return tuple(MappedSite(unit, None, "not_assessable", 0.0, (why,)) for unit in UNITS)


def _fit(study: Study, body: Frame, options: SegmentOptions, edge: Array | None = None) -> Fit:
    age = study.patient.age_years
    return fit(body.edge if edge is None else edge, body.seen, age, _stature(study, body, options), options.pose)


def _stature(study: Study, body: Frame, options: SegmentOptions) -> Prior | None:
    patient, grid = study.patient, next(iter(study.images.values())).grid
    millimetres = patient.height_cm * 10 if patient.height_cm else None
    if millimetres is None and patient.age_years is not None:
        millimetres = grown("stature_mm", patient.age_years)
    if millimetres is None or grid.unit != "mm":
        return None
    return Prior(float(np.log(millimetres / (grid.spacing[0] * body.bin))), options.stature_spread)


def _problem(study: Study, body: Frame, found: Fit, options: SegmentOptions) -> str | None:
    """What keeps the body from being mapped, if anything: another way up fits better, or none fits."""
    if found.misfit <= options.good_fit:
        return None
    turned = replace(body, edge=body.edge[::-1], seen=body.seen[::-1])
    if _fit(study, turned, options).misfit < found.misfit - options.clearly_better:
        return "the body seems to lie upside down in the picture: turn the image"
    lying = (replace(body, edge=np.rot90(body.edge, k), seen=np.rot90(body.seen, k)) for k in (1, 3))
    if min(_fit(study, turned, options).misfit for turned in lying) < found.misfit - options.clearly_better:
        return "the body seems to lie on its side in the picture: turn the image"
    if found.misfit > options.poor_fit:
        return f"no upright body recognised (the model misses or adds {found.misfit:.0%} of its area)"
    return None


def _notes(body: Frame, options: SegmentOptions) -> tuple[str, ...]:
    if body.agreement is None:
        return ("one view only",)
    if body.agreement < options.poor_pairing:
        return (f"the outlines of the views overlap by {body.agreement:.0%} only",)
    return ()


@dataclass(frozen=True, eq=False)
class _Mapper:
    """Draws the units of one fitted child."""

    study: Study
    body: Frame
    fit: Fit
    options: SegmentOptions

    def site(self, unit: str, notes: tuple[str, ...]) -> MappedSite:
        """One unit on every view, or why not."""
        capsules = bone_capsules(self.fit.skeleton)[unit]
        cells = _cells(capsules)
        seen = self._seen(cells)
        partly = (note_of_part(unit, in_field(seen)),) if seen < self.options.all_seen else ()
        parts = tuple(part for view in self.study.images if (part := self._part(capsules, view)))
        if seen < self.options.least_seen or not parts:
            return MappedSite(unit, None, "not_acquired", 1.0, (in_field(seen), *notes))
        confidence = float(np.clip(1 - 2 * self.fit.misfit, 0, 1))
        hidden = "upper_limb" in unit and self._over_trunk(cells) > self.options.most_hidden
        status: Status = "not_assessable" if hidden else "assessed"
        why = ("lies over the trunk",) if hidden else ()
        return MappedSite(unit, Region(parts), status, confidence, (*why, *partly, *notes))

    def _seen(self, cells: Points) -> float:
        rows, columns = np.round(cells).astype(int).T
        shape = self.body.seen.shape
        inside = (rows >= 0) & (columns >= 0) & (rows < shape[0]) & (columns < shape[1])
        return float(self.body.seen[rows[inside], columns[inside]].sum() / len(cells))

    def _over_trunk(self, cells: Points) -> float:
        return float((distance(cells, trunk_capsules(self.fit.skeleton)).min(axis=0) < 0).mean())

    def _part(self, capsules: Array, view: str) -> Part | None:
        lay, size = self.body.lays.get(view), self.body.bin
        if lay is None:
            return None
        ends = [(lay.of(capsules[:, columns]) + 0.5) * size - 0.5 for columns in ((0, 1), (2, 3))]
        on_view = np.hstack([*ends, capsules[:, 4:] * size])
        shape = self.study.images[view].grid.shape
        low, high = _bounds(on_view)
        low, high = np.maximum(low, 0), np.minimum(high, shape)
        if (low >= high).any():
            return None
        cells = _lattice(low, high)
        mask = (distance(cells, on_view).min(axis=0) < 0).reshape(tuple(high - low))
        return Part.from_mask(view, mask, (int(low[0]), int(low[1]))) if mask.any() else None


def _cells(capsules: Array) -> Points:
    lattice = _lattice(*_bounds(capsules))
    inside = lattice[distance(lattice, capsules).min(axis=0) < 0]
    return inside if len(inside) else capsules[:, :2]


def _bounds(capsules: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    radii = capsules[:, 4:].max(axis=1, keepdims=True)
    ends = np.concatenate([capsules[:, :2], capsules[:, 2:4]])
    reach = np.concatenate([radii, radii])
    low, high = (ends - reach).min(axis=0), (ends + reach).max(axis=0)
    return np.floor(low).astype(int), np.ceil(high).astype(int) + 1


def _lattice(low: NDArray[np.int64], high: NDArray[np.int64]) -> Points:
    return np.mgrid[low[0] : high[0], low[1] : high[1]].reshape(2, -1).T.astype(float)
