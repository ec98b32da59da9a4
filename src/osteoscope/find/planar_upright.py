"""Whether a body lies as the planar network expects it, head up: asked of the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy import ndimage

from osteoscope.find.model import Model
from osteoscope.find.planar_canvas import Fitting, Plane, typical
from osteoscope.find.planar_maps import Maps, Placing

# Quarter turns, and what a body does that is less doubtful after them.
_TURNS: Mapping[int, str] = MappingProxyType({1: "lie on its side", 2: "lie upside down", 3: "lie on its side"})
# 92 simulated children: upright 0.07 to 0.17, turned 0.16 to 0.97 and always by 0.04 more; with half of the body cut
# off up to 0.25, and at times as much either way.
_SURE, _ALIKE = 0.12, 0.02
# Share of a whole child, below which something else may be shown, and from which nothing is said.
_HARDLY, _WHOLLY = 0.6, 0.9
_SMOOTH, _BODY_LEVEL = 5, 0.4


def problem(maps: Maps, model: Model, cut: bool = False) -> str:
    """What keeps the body from being mapped, "" if nothing: another way up is less doubtful, or no child is recognised.

    Args:
        maps: of the body as it lies.
        model: the planar network.
        cut: the field cuts the body off, so that it is not taken to be upright unless it is less doubtful so.
    """
    if not any(view.any() for view in maps.counts.values()):
        return "no counts on the images"
    own = doubt(maps)
    if own > _SURE:
        turned = {quarters: doubt(_turned(model, maps.counts, quarters)) for quarters in _TURNS}
        best = min(turned, key=lambda quarters: turned[quarters])
        if turned[best] < own - _ALIKE:
            return f"the body seems to {_TURNS[best]} in the picture: turn the image"
        if turned[best] < own + (_ALIKE if cut else 0):
            return f"the body may as well {_TURNS[best]}, too little of it is shown to tell: give the whole body"
    alike = recognised(maps)
    return f"no upright child recognised ({alike:.0%} alike)" if alike < _HARDLY else ""


def partly(maps: Maps) -> str:
    """How little of a whole child is recognised, "" where it is enough."""
    alike = recognised(maps)
    return f"only part of a body is recognised ({alike:.0%} alike a whole child, head up)" if alike < _WHOLLY else ""


def doubt(maps: Maps) -> float:
    """Share of the units' silhouettes that is doubtful, by the variance of each element's chance; 0 to 1."""
    return float((maps.units * (1 - maps.units)).sum() / max(float(maps.units.sum()), 1e-6))


def recognised(maps: Maps) -> float:
    """Mean chance of the likeliest unit where bone is recognised, times the share of units recognised; 0 to 1."""
    best = maps.units.max(axis=0)
    bone = best >= 0.5
    share = float(np.mean([plane.max() >= 0.5 for plane in maps.units]))
    return float(best[bone].mean()) * share if bone.any() else 0.0


def _turned(model: Model, counts: Mapping[str, Plane], quarters: int) -> Maps:
    """The maps of one view after some quarter turns, fitted to the canvas anew.

    One view alone, since a posterior view that is mirrored as if the body were upright no longer lies on the anterior.
    """
    name = "anterior" if "anterior" in counts else "posterior"
    view = np.rot90(counts[name], quarters)
    body = ndimage.uniform_filter(view, _SMOOTH) > _BODY_LEVEL * typical(view)
    if not body.any():
        body = np.ones_like(body)  # evenly grey: no body to fit
    spans = [np.flatnonzero(body.any(axis=axis)) for axis in (1, 0)]
    top, bottom, left, right = (float(end) for span in spans for end in (span[0], span[-1] + 1))
    fitting = Fitting.of((top, bottom, left, right))
    return Maps.of(model, {name: fitting.resample(view)}, Placing(fitting, (view.shape[0], view.shape[1]), {}))
