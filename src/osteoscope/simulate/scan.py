"""From expected counts of a child that lies still to what the camera counts: artefacts and motion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from osteoscope.domain.anatomy import SKELETAL_UNITS
from osteoscope.domain.finding import Part, Region, SetAside
from osteoscope.simulate.artefacts import OfCamera, with_traces
from osteoscope.simulate.camera import Floats
from osteoscope.simulate.motion import row_motion, shift_rows
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.scene import Scene
from osteoscope.simulate.silhouettes import Silhouettes
from osteoscope.simulate.visibility import contrast_to_noise

Views = Mapping[str, Floats]
_SIGN: Mapping[str, int] = MappingProxyType({"anterior": 1, "posterior": -1})


@dataclass(frozen=True, eq=False)
class Scanned:
    """Expected counts as the camera records them.

    Args:
        views: expected counts of both views.
        visibility: contrast-to-noise ratio of disease at each pixel.
        silhouettes: with the motion that the views show.
        traces: artefacts that stand out.
    """

    views: Views
    visibility: Views
    silhouettes: Silhouettes
    traces: tuple[SetAside, ...] = ()


def scan(healthy: Views, excess: Views, still: Silhouettes, recipe: ChildRecipe, rng: np.random.Generator) -> Scanned:
    """Both views with the artefacts and the motion of a recipe.

    What lies on the child moves with it; faults of the camera come last.

    Args:
        healthy: expected counts without disease.
        excess: what disease adds.
        still: silhouettes of the child that lies still.
        recipe: artefacts, motion and camera.
        rng: draws what they leave open.
    """
    expected = {view: healthy[view] + excess[view] for view in healthy}
    views: Views = expected
    traces: tuple[SetAside, ...] = ()
    shifts = None
    if recipe.artefacts or recipe.motion_mm:
        scene = scene_of(still, recipe.camera.pixel_mm)
        on_child = [a for a in recipe.artefacts if not isinstance(a, OfCamera)]
        worn = with_traces(expected, scene, on_child, rng)
        if recipe.motion_mm:
            rows = np.flatnonzero(scene.body.any(axis=1))
            within = (int(rows[0]), int(rows[-1]) + 1) if rows.size else None
            shifts = row_motion(rng, len(scene.body), recipe.motion_mm / recipe.camera.pixel_mm, within)
        shown = with_traces(
            _moved(worn.views, shifts), scene, [a for a in recipe.artefacts if isinstance(a, OfCamera)], rng
        )
        views, traces = shown.views, (*_moved_traces(worn.traces, shifts, scene.body.shape), *shown.traces)
    visibility = _visibility(views, _moved(expected, shifts), _moved(excess, shifts), recipe.camera.pixel_mm)
    return Scanned(views, visibility, Silhouettes(still.body, still.field, shifts), traces)


def scene_of(still: Silhouettes, pixel_mm: float) -> Scene:
    """The silhouettes that artefacts are placed by."""
    body = still.body
    everything = body.voxels(range(1, len(body.structures)))
    units = {unit: still.mask(body.bone((unit,))) for unit in SKELETAL_UNITS}
    return Scene(pixel_mm, still.mask(everything), MappingProxyType(units))


def _moved(views: Views, shifts: Floats | None) -> Views:
    if shifts is None:
        return views
    return {name: shift_rows(view, _SIGN[name] * shifts) for name, view in views.items()}


def _moved_traces(traces: tuple[SetAside, ...], shifts: Floats | None, shape: tuple[int, ...]) -> list[SetAside]:
    if shifts is None:
        return list(traces)
    moved = []
    for trace in traces:
        masks = {p.image: shift_rows(p.full(shape), _SIGN[p.image] * shifts) for p in trace.region.parts}
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
