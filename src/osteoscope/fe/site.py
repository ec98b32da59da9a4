"""Where a bone fails first, against its lesions."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray

from osteoscope.fe.loads import Trial
from osteoscope.fe.solution import Curve

_NEAR_MM = 5.0


@dataclass(frozen=True)
class FirstFailure:
    """The region that gives way.

    Args:
        centre: LPS position in mm of the middle of its plastic work.
        volume_mm3: of the elements that flowed there.
        in_lesion: share of its plastic work within lesions, 0..1.
        at_lesion: share within 5 mm of one.
        nearest: id of the lesion with most of it within reach, "" for none.
    """

    centre: tuple[float, float, float]
    volume_mm3: float
    in_lesion: float
    at_lesion: float
    nearest: str


def first_failure(trial: Trial, curve: Curve) -> FirstFailure | None:
    """The connected elements with most plastic work at the failure load; None where nothing flowed.

    Work, not strain: soft tissue of a lesion flows early and carries nothing.
    """
    strength = trial.mesh.strength
    if strength is None or not curve.failed.any():
        return None
    bone = curve.failed & (trial.mesh.share > 0) & np.isfinite(strength)
    work = np.where(bone, curve.plastic_strain * np.where(np.isfinite(strength), strength, 0), 0).astype(float)
    if not work.any():
        return None
    # Elements that hardly flowed join everything into one piece.
    pieces = np.asarray(cc3d.connected_components(work > 0.2 * np.quantile(work[work > 0], 0.98), connectivity=26))
    sums = np.bincount(pieces.ravel(), work.ravel())
    sums[0] = 0
    chosen = pieces == int(np.argmax(sums))
    weight = work[chosen]
    index = np.argwhere(chosen)
    centre = trial.mesh.grid.to_position((index * weight[:, None]).sum(axis=0) / weight.sum())
    near = {name: _near(share > 0.5, trial)[chosen] for name, share in trial.mesh.lesions.items()}
    at = {name: float(weight[mask <= _NEAR_MM].sum() / weight.sum()) for name, mask in near.items()}
    inside = max((float(weight[mask <= 0].sum() / weight.sum()) for mask in near.values()), default=0.0)
    nearest = max(at, key=lambda name: at[name], default="")
    x, y, z = (float(v) for v in centre)
    return FirstFailure(
        (x, y, z), float(np.count_nonzero(chosen)) * trial.mesh.grid.cell, inside, at.get(nearest, 0.0),
        nearest if at.get(nearest) else "",
    )  # fmt: skip


def _near(lesion: NDArray[np.bool_], trial: Trial) -> NDArray[np.float32]:
    """Distance in mm of every element from a lesion, 0 inside."""
    if not lesion.any():
        return np.full(lesion.shape, np.inf, np.float32)
    return np.asarray(edt.edt(~lesion, anisotropy=trial.mesh.grid.spacing, black_border=False))
