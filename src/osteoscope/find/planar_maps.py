"""One look of the planar network at a study: its maps, and where they lie on the views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from osteoscope.domain.anatomy import SKELETAL_UNITS
from osteoscope.domain.finding import Part
from osteoscope.domain.study import Study
from osteoscope.find.model import Model, shipped
from osteoscope.find.planar_body import Lay, frame
from osteoscope.find.planar_canvas import HALF, Fitting, Plane, planes
from osteoscope.find.planar_noise import excess

UNITS: tuple[str, ...] = SKELETAL_UNITS
MODEL = "mibg_planar"
# Planes of the network's second output, in their order: silhouettes, owner of a focus, diffuse disease; soft-tissue
# disease, organs and diffuse disease of any unit, which is learnt sooner than that of each.
PLANES: Mapping[str, int] = MappingProxyType(
    {"units": len(UNITS), "owner": len(UNITS), "diffuse": len(UNITS), "other": 3}
)

Mask = NDArray[np.bool_]

# Two outlines that overlap less are not laid on each other rightly: then one view alone says where the body is.
_SAME_BODY = 0.5


@dataclass(frozen=True, eq=False)
class Maps:
    """What the network says of one study, as chances, on the canvas (see `osteoscope.find.planar_canvas`).

    Args:
        heat: CANVAS, a focus is centred here.
        units: (15, *HALF), silhouette of each of `UNITS`.
        owner: (15, *HALF), the unit of a focus here; sums to 1.
        diffuse: (15, *HALF), diffuse disease of each unit.
        soft_tissue, organs: HALF, disease outside bone; physiological uptake.
        acquired: (15,), at least half of the unit is in the field.
        counts: per view, counts on the canvas, as many as its noise is that of.
        placing: how the canvas lies on the views.
    """

    heat: Plane
    units: Plane
    owner: Plane
    diffuse: Plane
    soft_tissue: Plane
    organs: Plane
    acquired: Plane
    counts: Mapping[str, Plane]
    placing: Placing

    @classmethod
    def of(cls, model: Model, counts: Mapping[str, Plane], placing: Placing) -> Maps:
        """Run the network on counts that lie on the canvas."""
        heat, half, acquired = model.run(planes(counts))
        ends = np.cumsum(list(PLANES.values()))
        said = dict(zip(PLANES, np.split(half, ends[:-1]), strict=True))
        owner = np.exp(said["owner"] - said["owner"].max(axis=0))
        units, diffuse, other = (expit(said[name]) for name in ("units", "diffuse", "other"))
        return cls(
            expit(heat[0]), units, owner / owner.sum(axis=0), diffuse, other[0], other[1],
            expit(acquired), counts, placing,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Placing:
    """How the canvas lies on the views of a study.

    Args:
        fitting: of the anterior view's geometry.
        shape: of the anterior view (or of a lone posterior one, mirrored).
        views: per view, its shape and how it lies in that geometry, in pixels.
        agreement: overlap over union of the two outlines; None with one view.
        noise: per view, see `osteoscope.find.planar_noise.excess`.
    """

    fitting: Fitting
    shape: tuple[int, int]
    views: Mapping[str, tuple[tuple[int, int], Lay]]
    agreement: float | None = None
    noise: Mapping[str, float] = field(default_factory=dict)

    def upright(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """A view in the anterior geometry, 0 where it does not reach."""
        (rows, columns), inside = self._source(name)
        return np.asarray(values[rows[:, None], columns[None, :]] * inside.astype(values.dtype))

    def part(self, name: str, mask: Mask) -> Part | None:
        """A mask of the anterior geometry as a Part of a view."""
        (rows, columns), inside = self._source(name)
        found = np.zeros(self.views[name][0], dtype=bool)
        hit = mask & inside
        at = np.nonzero(hit)
        found[rows[at[0]], columns[at[1]]] = True
        return Part.from_mask(name, found) if found.any() else None

    def parts(self, mask: Mask, views: Iterable[str]) -> tuple[Part, ...]:
        """The Parts of a mask of the anterior geometry on those views that it reaches."""
        return tuple(part for name in views if (part := self.part(name, mask)))

    def _source(self, name: str) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], Mask]:
        (height, width), lay = self.views[name]
        rows = np.arange(self.shape[0]) + lay.down
        columns = np.arange(self.shape[1]) if lay.across is None else lay.across - np.arange(self.shape[1])
        inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None, :]
        return (np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)), inside

    def draw(self, plane: Plane) -> Plane:
        """A plane at `HALF` resolution, interpolated linearly at every pixel of the anterior geometry."""
        down, right = (
            _between((np.arange(count) + 0.5) * self.fitting.scale + shift, size)
            for count, shift, size in zip(self.shape, (self.fitting.down, self.fitting.right), HALF, strict=True)
        )
        return np.asarray(down @ plane @ right.T, dtype=np.float32)


def _between(at: NDArray[np.floating[Any]], size: int) -> Plane:
    """Weights (len(at), size) of linear interpolation at canvas positions; all 0 outside of the canvas."""
    place = np.clip(at / 2 - 0.5, 0, size - 1)
    low = np.minimum(place.astype(np.int64), size - 2)
    inside = ((at >= 0) & (at < 2 * size)).astype(np.float32)
    weights = np.zeros((len(at), size), dtype=np.float32)
    weights[np.arange(len(at)), low] = (1 - (place - low)) * inside
    weights[np.arange(len(at)), low + 1] = (place - low) * inside
    return weights


@lru_cache(maxsize=1)
def look(study: Study) -> Maps | None:
    """Find the body, fit it to the canvas and run the network; None where no body is found.

    The last study's maps are kept, since site map and detection both ask for them.

    Raises:
        ModelError: the weights are missing or not those of their card.
    """
    body = frame(study)
    if body is None:
        return None
    base = "anterior" if "anterior" in study.images else "posterior"
    alone = body
    if body.agreement is not None and body.agreement < _SAME_BODY:
        alone = frame(replace(study, images={base: study.images[base]})) or body
    inside = alone.edge < 0
    spans = [np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0)]
    box = tuple(float(body.bin * end) for span in spans for end in (span[0], span[-1] + 1))
    lays = {name: _in_pixels(lay, body.bin) for name, lay in body.lays.items()}
    views = {name: (_shape(study, name), lay) for name, lay in lays.items()}
    placing = Placing(Fitting.of((box[0], box[1], box[2], box[3])), _shape(study, base), views, body.agreement)
    pixels = {name: placing.upright(name, study.images[name].values) for name in views}
    noise = {name: excess(values, placing.fitting) for name, values in pixels.items()}
    counts = {name: placing.fitting.resample(values) / np.float32(noise[name]) for name, values in pixels.items()}
    return Maps.of(shipped(MODEL), counts, replace(placing, noise=noise))


def _shape(study: Study, name: str) -> tuple[int, int]:
    rows, columns = study.images[name].grid.shape
    return rows, columns


def _in_pixels(lay: Lay, size: int) -> Lay:
    across = None if lay.across is None else size * lay.across + size - 1
    return Lay(size * lay.down, across)
