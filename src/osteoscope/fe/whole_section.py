"""Lesions that take a whole section of their bone: no law of healthy bone holds there."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.loads import Trial

_WHOLE = 0.9
# Sections of the mask itself are at least this thick; the last one of a bone that the field cuts slantwise is a sliver.
_LAYER_MM, _SLIVER = 3.0, 0.5


def refuse_whole_section(trial: Trial, site: str) -> None:
    """Refuse a model with a section, across the bone or along it, that is nearly all lesion.

    Raises:
        UnsuitableStudyError: there is one.
    """
    _refuse(max(_most_taken(trial, (1, 2), trial.sections), _most_taken(trial, (0, 1), trial.lengthwise)), site, "")


def refuse_whole_section_outside(bone: Bone, names: Collection[str], axis: NDArray[np.float64]) -> None:
    """Refuse a bone of which lesions that its model does not hold, ``names``, take a section across ``axis``.

    Raises:
        UnsuitableStudyError: they do.
    """
    if not names:
        return
    level = np.floor(bone.positions @ axis / max(_LAYER_MM, *bone.grid.spacing)).astype(int)
    level -= level.min()
    sick = np.any([bone.lesions[name] for name in names], axis=0)[bone.mask]
    whole = np.bincount(level)
    full = whole > _SLIVER * np.median(whole)
    taken = np.bincount(level, sick, len(whole))[full] / whole[full]
    _refuse(float(taken.max(initial=0.0)), bone.site, ", below what is modelled")


def _refuse(taken: float, site: str, where: str) -> None:
    if taken > _WHOLE:
        raise UnsuitableStudyError(
            f"load {site}", f"lesions take {100 * taken:.0f} % of one whole section{where}",
            "No law of healthy bone holds there: treat it as not bearing",
        )  # fmt: skip


def _most_taken(trial: Trial, within: tuple[int, int], layers: NDArray[np.bool_]) -> float:
    """Greatest share of lesions in layers that run along the axes ``within``."""
    bone = trial.mesh.share.sum(axis=within)
    sick = sum((share.sum(axis=within) for share in trial.mesh.lesions.values()), np.zeros_like(bone))
    taken = np.divide(sick, bone, out=np.zeros_like(bone), where=bone > 0)
    return float(taken[np.flatnonzero(layers)].max(initial=0.0))
