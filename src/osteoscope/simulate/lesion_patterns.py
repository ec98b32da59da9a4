"""How diffuse disease spreads through bone: every voxel gets a number, and the lowest are taken first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.simulate.body import Body
from osteoscope.simulate.lesion_kinds import Pattern
from osteoscope.simulate.shapes import Floats

_WAVELENGTH_MM, _BEADS_MM = 90.0, 38.0
_CREST = 0.88
Spread = Callable[[Body, NDArray[np.int64], np.random.Generator], Floats]


def _from_a_seed(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    picture = body.positions(bone)[:, [0, 2]]
    return np.asarray(np.linalg.norm(picture - picture[rng.integers(len(bone))], axis=1))


def _islands(wavelength_mm: float) -> Spread:
    def spread(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """A sum of random waves, the same from front to back so that islands go through."""
        waves = rng.normal(0, 2 * np.pi / wavelength_mm, (2, 12))
        picture = body.positions(bone)[:, [0, 2]]
        return np.asarray(np.cos(picture @ waves + rng.uniform(0, 2 * np.pi, 12)).sum(axis=1))

    return spread


def from_the_ends(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Distance in mm from the nearer end of its bone of each voxel (flat indices), a little ragged."""
    at, label = body.positions(bone), body.labels.ravel()[bone]
    score = np.empty(len(bone))
    for structure in np.unique(label):
        centred = at[label == structure] - at[label == structure].mean(axis=0)
        along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
        score[label == structure] = np.minimum(along - along.min(), along.max() - along)
    return score + rng.normal(0, 2.0, len(bone))


def _at_one_height(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    height = body.positions(bone)[:, 2]
    return np.asarray(np.abs(height - height[rng.integers(len(bone))]) + rng.normal(0, 1.0, len(bone)))


def _from_crests_and_joints(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    at = body.positions(bone)
    crests = at[at[:, 2] >= np.quantile(at[:, 2], _CREST)]
    joints = body.positions(body.bone(("sacrum",)))
    origin = np.concatenate([crests[::7], joints[::7]]) if len(joints) else crests
    return np.asarray(cKDTree(origin).query(at)[0] + rng.normal(0, 2.0, len(bone)))


def _eyes(body: Body, at: Floats) -> Floats:
    """Where the eyes are, shape (n, 3): of the body, or the front of the middle of the bone's height."""
    found = [body.positions(body.voxels([n])) for n, name in enumerate(body.structures) if name.startswith("eye_")]
    centres = [eye.mean(axis=0) for eye in found if len(eye)]
    low, high = at.min(axis=0), at.max(axis=0)
    return np.array(centres or [((low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2)])


def _around_the_eyes(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    at = body.positions(bone)
    return np.asarray(cKDTree(_eyes(body, at)).query(at)[0] + rng.normal(0, 2.0, len(bone)))


def _away_from_the_face(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    at = body.positions(bone)
    face = _eyes(body, at).mean(axis=0)
    return np.asarray(-np.linalg.norm(at - face, axis=1) + rng.normal(0, 3.0, len(bone)))


SPREAD: Mapping[Pattern, Spread] = MappingProxyType(
    {
        "patch": _from_a_seed, "patchy": _islands(_WAVELENGTH_MM), "beads": _islands(_BEADS_MM),
        "metaphyseal": from_the_ends, "column": _at_one_height, "iliac": _from_crests_and_joints,
        "orbital": _around_the_eyes, "calvaria": _away_from_the_face,
    }
)  # fmt: skip
