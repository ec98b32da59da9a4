"""Takes a simulated child apart into a basis: each organ and each possible lesion exposed on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.simulate.body import Body
from osteoscope.simulate.camera import Optics
from osteoscope.simulate.lesion_kinds import Confluent, Diffuse, Foci, Lesion, Mass
from osteoscope.simulate.lesions import Placed, place_lesions
from osteoscope.simulate.planar import attenuation_of, field_over
from osteoscope.simulate.random_disease import lesions_of_level, random_lesions
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.silhouettes import Silhouettes
from osteoscope.simulate.uptake import Uptake, concentrations, organ_of, texture
from osteoscope.train.planar_basis import SEGMENTS, UNITS, Basis, Halves, Part

# Corner (row, column), both views over their scale, scale.
Crop = tuple[tuple[int, int], Halves, float]

_FOCI, _PATCHES, _MASSES = 6, 2, 6
# How far masses lie from their usual places, in lengths of the way from thoracic to lumbar spine, and how often far.
_BESIDE, _ASTRAY, _FAR = 0.08, 0.3, 0.3
# Borders fainter than this share of a part's highest pixel are cut off.
_LEAST_OF_ORGAN, _LEAST_OF_LESION = 5e-4, 4e-3
_NO_MASK = np.zeros((0, 0), dtype=bool)


def make_basis(recipe: ChildRecipe, body: Body, rng: np.random.Generator) -> Basis:
    """Take a body apart: organs, and in every segment some foci and a diffuse patch, besides soft-tissue masses.

    The uptake of the recipe is that of `usual_uptake`, but for bladder and lobes.
    """
    field = field_over(body, recipe.camera)
    still = Silhouettes(body, field)
    optics = Optics.of(attenuation_of(body), field, recipe.camera)
    uneven = texture(body, rng)
    held = concentrations(body, recipe.uptake, recipe.age_years, rng)
    views = _Views(body, still, optics, uneven)
    organs = list(_organs(body, held, views))
    scale = recipe.camera.anterior_counts / sum(float(p.views[0].sum(dtype=np.float64)) * p.scale for p, _ in organs)
    lesions = [_lesion(body, views, *placed) for placed in _possible(body, rng)]
    parts = [*(p for p, _ in organs), *(p for p in lesions if p is not None)]
    scaled = tuple(replace(p, scale=p.scale * scale) for p in parts)
    volumes = np.array([body.bone((unit,)).size for unit in UNITS], dtype=float)
    in_field = np.array([views.still.seen(body.bone((unit,))).sum() for unit in UNITS], dtype=float)
    return Basis(
        recipe.camera.pixel_mm,
        recipe.age_years,
        np.array([[s.start, s.stop] for s in field.seen]),
        np.array([usual for _, usual in organs]),
        scaled,
        np.stack([views.still.mask(body.bone((unit,))) for unit in UNITS]),
        views.still.mask(body.voxels(range(1, len(body.structures)))),
        in_field / np.maximum(volumes, 1),
        in_field,
    )


@dataclass(frozen=True, eq=False)
class _Views:
    """Exposes voxels of a body, one crop at a time."""

    body: Body
    still: Silhouettes
    optics: Optics
    uneven: NDArray[np.float32]

    def expose(self, voxels: NDArray[np.int64], concentration: NDArray[np.float32] | float, least: float) -> Crop:
        """What voxels with that concentration add."""
        shape = self.body.grid.shape
        z, y, x = np.unravel_index(voxels, shape)
        box = (slice(int(z.min()), int(z.max()) + 1), slice(int(x.min()), int(x.max()) + 1))
        activity = np.zeros((box[0].stop - box[0].start, shape[1], box[1].stop - box[1].start), dtype=np.float32)
        activity[z - box[0].start, y, x - box[1].start] = concentration * self.uneven[z, y, x]
        whole = self.optics.field
        field = replace(whole, slices=whole.slices[box[0]], columns=whole.columns[box[1]])
        reaching = {name: part[box[0], :, box[1]] for name, part in self.optics.reaching.items()}
        found = Optics(self.optics.camera, field, reaching).expose(activity)
        both = np.stack([found["anterior"], found["posterior"][:, ::-1]])
        return _cropped(both, least)


def _cropped(both: NDArray[np.float64], least: float) -> Crop:
    scale = float(both.max())
    if scale <= 0:
        return (0, 0), np.zeros((2, 0, 0), dtype=np.float16), 0.0
    strong = np.asarray((both > least * scale).any(axis=0))
    rows, columns = (np.flatnonzero(strong.any(axis=axis)) for axis in (1, 0))
    crop = both[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] / scale
    return (int(rows[0]), int(columns[0])), crop.astype(np.float16), scale


def _organs(body: Body, held: NDArray[np.float32], views: _Views) -> Iterator[tuple[Part, float]]:
    groups: dict[str, list[int]] = {}
    for label, name in enumerate(body.structures):
        if label and body.voxels([label]).size:
            bone = body.unit_of_structure[label] >= 0
            organ = organ_of(name)
            groups.setdefault("bone" if bone else name if organ == "bowel" else organ, []).append(label)
    for name, labels in groups.items():
        voxels = body.voxels(labels)
        corner, crop, scale = views.expose(voxels, held[body.labels.ravel()[voxels]], _LEAST_OF_ORGAN)
        if scale > 0:
            usual = float(np.mean(held[labels]))
            yield Part(name, -1, "organ", -1, 0.0, corner, crop, scale, _NO_MASK, (0.0, 0.0)), usual


def _possible(body: Body, rng: np.random.Generator) -> Iterator[tuple[Placed, str, int, int]]:
    """Placed disease with its kind, segment and group."""
    group = 0
    for number, segment in enumerate(SEGMENTS):
        for placed in place_lesions(body, _some_foci(segment, rng), rng):
            if placed.kind == "focal":
                yield placed, "focus", number, group
                group += 1
        for level in rng.choice((4, 5, 6), _PATCHES, replace=False, p=(0.35, 0.35, 0.3)).tolist():
            lesions = lesions_of_level(rng, segment, level, 1.0)
            if lesions and isinstance(lesions[0], Diffuse | Confluent):
                for placed in place_lesions(body, lesions, rng):
                    yield placed, "diffuse", number, group
                group += 1
    masses = [_elsewhere(lesion, rng) for _ in range(3) for lesion in random_lesions(rng, (0, 0))]
    for placed in place_lesions(body, masses, rng)[:_MASSES]:
        yield placed, "mass", -1, group
        group += 1


def _elsewhere(lesion: Lesion, rng: np.random.Generator) -> Lesion:
    """A mass beside its usual place, sometimes far from it, half of them of several lobes."""
    if not isinstance(lesion, Mass):
        return lesion
    down, left, front = rng.normal(0, _ASTRAY if rng.random() < _FAR else _BESIDE, 3).tolist()
    return replace(lesion, aside=(down, left, front), lobed=bool(rng.random() < 0.5))


def _some_foci(segment: str, rng: np.random.Generator) -> list[Lesion]:
    sizes = np.exp(rng.uniform(np.log(6), np.log(24), _FOCI)).tolist()
    ends = rng.random() < 0.3
    foci: list[Lesion] = [Foci(segment, 1, size, 1.0, 0.0, 0.0, "ends" if ends else "anywhere") for size in sizes]
    return [*foci, Confluent(segment, 8.0, 1.0)] if rng.random() < 0.3 else foci


def _lesion(body: Body, views: _Views, placed: Placed, kind: str, segment: int, group: int) -> Part | None:
    seen = views.still.seen(placed.voxels)
    if seen.mean() <= 0.5 and not (kind == "diffuse" and seen.any()):
        return None
    corner, crop, scale = views.expose(placed.voxels, 1.0, _LEAST_OF_LESION)
    silhouette = views.still.mask(placed.voxels)
    if scale <= 0 or not silhouette.any():
        return None
    rows, columns = crop.shape[1:]
    inside = silhouette[corner[0] : corner[0] + rows, corner[1] : corner[1] + columns]
    row, column = np.argwhere(silhouette).mean(axis=0).tolist()
    bone = body.bone((placed.unit,)) if kind == "diffuse" else np.empty(0, dtype=np.int64)
    share = float(seen.sum() / max(1, views.still.seen(bone).sum())) if kind == "diffuse" else 0.0
    return Part(placed.unit, group, kind, segment, share, corner, crop, scale, inside, (row, column))


def usual_uptake() -> Uptake:
    """Uptake with which bases are made: everything usual, so that multiples drawn later mean what they say."""
    return Uptake(thyroid=1.0, brown_fat=1.0, adrenals=1.0)
