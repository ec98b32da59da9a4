"""How sure a planar finding is: logistic models of a few plain features.

The weights were fitted to simulated children (tuning seeds), with findings that overlap a simulated lesion as
positives. They rank; they are not calibrated probabilities on patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from scipy.special import expit

from osteoscope.find.planar_body import Mask
from osteoscope.find.planar_spots import Spot
from osteoscope.find.planar_views import View

_TRUNK = frozenset({"thoracic_cage", "thoracic_spine", "lumbar_spine", "sacrum", "pelvis"})
_CLEAR_MM = 20.0  # further than this from a bright organ, contrast is not its rim
_FEW = 20  # elements; fewer say nothing of a patch's contrast

FOCUS_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"constant": 0.9, "contrast": 0.55, "significance": 2.4, "both_views": 0.9, "trunk": -0.4, "soft_tissue": -5.0}
)
PATCH_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"constant": -2.6, "contrast": 0.83, "significance": 1.24, "both_views": 0.6, "share": 3.8, "soft_tissue": -2.0}
)


def focus_confidence(site: str, pair: Sequence[Spot]) -> float:
    """Of a focus, seen on one or two views."""
    features = {
        "contrast": np.log(max(spot.contrast for spot in pair) / 0.5),
        "significance": np.log(max(spot.significance for spot in pair) / 8),
        "both_views": len(pair) - 1,
        "trunk": site in _TRUNK,
        "soft_tissue": site == "soft_tissue",
    }
    return _logistic(FOCUS_WEIGHTS, features)


def patch_confidence(site: str, spots: Sequence[Spot], masks: Sequence[tuple[View, Mask]]) -> float:
    """Of a patch: its hot places, and the bone that it involves on each view."""
    features = {
        "contrast": np.log(max(_clear_contrast(view, mask) for view, mask in masks) + 0.05),
        "significance": np.log(max(spot.significance for spot in spots) / 8),
        "both_views": len(masks) - 1,
        "share": max(_share(view, site, mask) for view, mask in masks),
        "soft_tissue": site == "soft_tissue",
    }
    return _logistic(PATCH_WEIGHTS, features)


def _clear_contrast(view: View, mask: Mask) -> float:
    """Median contrast away from bright organs, 0 where hardly any of the patch is."""
    clear = mask & (view.organ_distance > _CLEAR_MM)
    return max(0.0, float(np.median(view.contrast[clear]))) if clear.sum() > _FEW else 0.0


def _share(view: View, site: str, mask: Mask) -> float:
    return float(mask.sum() / max(1, view.units[site].sum())) if site in view.units else 0.0


def _logistic(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    total = weights["constant"] + sum(weights[name] * float(value) for name, value in features.items())
    return float(expit(total))
