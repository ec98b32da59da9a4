"""From expected counts of a child that lies still to what the camera counts: artefacts, motion, noise, saturation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SKELETAL_UNITS
from osteoscope.domain.finding import Part, Region, SetAside
from osteoscope.simulate.artefacts import OfCamera, with_traces
from osteoscope.simulate.camera import Field, Floats, detect
from osteoscope.simulate.detector_faults import Saturation
from osteoscope.simulate.motion import row_motion, shift_rows
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.scene import Mask, Scene
from osteoscope.simulate.silhouettes import Silhouettes
from osteoscope.simulate.visibility import contrast_to_noise

Views = Mapping[str, Floats]
Counts = Mapping[str, NDArray[np.int32]]
_SIGN: Mapping[str, int] = MappingProxyType({"anterior": 1, "posterior": -1})


@dataclass(frozen=True, eq=False)
class Exposed:
    """Expected counts on the crystal.

    Args:
        views: of both views, with artefacts and motion.
        undisturbed: with motion alone.
        excess: what of these disease adds.
        silhouettes: with the motion that the views show.
        traces: artefacts that stand out.
    """

    views: Views
    undisturbed: Views
    excess: Views
    silhouettes: Silhouettes
    traces: tuple[SetAside, ...] = ()


@dataclass(frozen=True, eq=False)
class Scanned:
    """What the camera records.

    Args:
        counts: of both views.
        visibility: contrast-to-noise ratio of disease at each pixel.
        traces: artefacts that stand out.
    """

    counts: Counts
    visibility: Views
    traces: tuple[SetAside, ...] = ()


def field_of_motion(field: Field, recipe: ChildRecipe) -> Field:
    """Where counts are needed: beyond the detector's edge too where the child moves, since parts may come in."""
    return field.widened(int(np.ceil(recipe.motion_mm / recipe.camera.pixel_mm)) + 1) if recipe.motion_mm else field


def expose(healthy: Views, excess: Views, still: Silhouettes, recipe: ChildRecipe, rng: np.random.Generator) -> Exposed:
    """Both views with the artefacts and the motion of a recipe, on the detector.

    What lies on the child moves with it, then the detector's edge cuts, then come faults of the camera. Saturation is
    of counts, see `record`.

    Args:
        healthy: expected counts without disease, over `field_of_motion`.
        excess: what disease adds.
        still: silhouettes of the child that lies still.
        recipe: artefacts, motion and camera.
        rng: draws what they leave open.
    """
    expected = {view: healthy[view] + excess[view] for view in healthy}
    if not recipe.artefacts and not recipe.motion_mm:
        return Exposed(expected, expected, excess, still)
    scene = scene_of(still, recipe.camera.pixel_mm)
    beyond = (expected["anterior"].shape[1] - scene.body.shape[1]) // 2
    on_child = [a for a in recipe.artefacts if not isinstance(a, OfCamera)]
    worn = with_traces(expected, _padded(scene, beyond), on_child, rng)
    shifts = _shifts(scene, recipe, rng) if recipe.motion_mm else None
    moved = Silhouettes(still.body, still.field, shifts)
    shown = with_traces(
        _moved(worn.views, moved), scene,
        [a for a in recipe.artefacts if isinstance(a, OfCamera) and not isinstance(a, Saturation)], rng,
    )  # fmt: skip
    traces = (*_moved_traces(worn.traces, moved, expected["anterior"].shape), *shown.traces)
    return Exposed(shown.views, _moved(expected, moved), _moved(excess, moved), moved, traces)


def record(exposed: Exposed, recipe: ChildRecipe, rng: np.random.Generator) -> Scanned:
    """Counts drawn, then clipped where a recipe has them saturated.

    Args:
        exposed: expected counts.
        recipe: artefacts and camera.
        rng: draws the noise.
    """
    counts, pixel_mm = detect(exposed.views, rng), recipe.camera.pixel_mm
    views, traces = exposed.views, exposed.traces
    if clipping := [a for a in recipe.artefacts if isinstance(a, Saturation)]:
        drawn = {name: view.astype(np.float64) for name, view in counts.items()}
        clipped = with_traces(drawn, scene_of(exposed.silhouettes, pixel_mm), clipping, rng)
        # A whole count, so that the top is flat.
        counts = {name: np.ceil(view).astype(np.int32) for name, view in clipped.views.items()}
        top = max(int(view.max()) for view in counts.values())
        views, traces = {name: np.minimum(view, top) for name, view in views.items()}, (*traces, *clipped.traces)
    return Scanned(counts, _visibility(views, exposed.undisturbed, exposed.excess, pixel_mm), traces)


def scene_of(still: Silhouettes, pixel_mm: float) -> Scene:
    """The silhouettes that artefacts are placed by."""
    body = still.body
    everything = body.voxels(range(1, len(body.structures)))
    units = {unit: still.mask(body.bone((unit,))) for unit in SKELETAL_UNITS}
    return Scene(pixel_mm, still.mask(everything), MappingProxyType(units))


def _padded(scene: Scene, by: int) -> Scene:
    """The same scene in the middle of a wider picture."""

    def padded(mask: Mask) -> Mask:
        return np.pad(mask, ((0, 0), (by, by)))

    units = {name: padded(mask) for name, mask in scene.units.items()}
    return Scene(scene.pixel_mm, padded(scene.body), MappingProxyType(units)) if by else scene


def _shifts(scene: Scene, recipe: ChildRecipe, rng: np.random.Generator) -> Floats:
    rows = np.flatnonzero(scene.body.any(axis=1))
    within = (int(rows[0]), int(rows[-1]) + 1) if rows.size else None
    return row_motion(rng, len(scene.body), recipe.motion_mm / recipe.camera.pixel_mm, within)


def _moved(views: Views, by: Silhouettes) -> Views:
    """Views as far as the detector reaches, after the motion."""
    if by.shifts is None:
        return views
    return {name: by.field.recorded(shift_rows(view, _SIGN[name] * by.shifts)) for name, view in views.items()}


def _moved_traces(traces: tuple[SetAside, ...], by: Silhouettes, shape: tuple[int, ...]) -> list[SetAside]:
    if by.shifts is None:
        return list(traces)
    moved = []
    for trace in traces:
        wide = {p.image: shift_rows(p.full(shape), _SIGN[p.image] * by.shifts) for p in trace.region.parts}
        masks = {name: by.field.recorded(mask) for name, mask in wide.items()}
        parts = tuple(Part.from_mask(name, mask) for name, mask in masks.items() if mask.any())
        if parts:
            moved.append(SetAside(trace.what, trace.reason, Region(parts)))
    return moved


def _visibility(views: Views, undisturbed: Views, excess: Views, pixel_mm: float) -> Views:
    """Contrast to noise of disease where artefacts may have taken counts away from it, or put counts beside it."""
    found = {}
    for name, view in views.items():
        kept = np.minimum(view / np.maximum(undisturbed[name], 1e-9), 1) * excess[name]
        found[name] = contrast_to_noise(view - kept, kept, pixel_mm)
    return found
