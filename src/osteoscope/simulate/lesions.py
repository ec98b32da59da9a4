"""Disease put into a body: foci, confluent foci, diffuse involvement, soft-tissue masses and nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.domain.anatomy import PLANAR_UNITS, SIOPEN
from osteoscope.simulate.body import SOFT_TISSUE, Body
from osteoscope.simulate.lesion_kinds import (
    Confluent,
    Diffuse,
    Foci,
    Lesion,
    Mass,
    MassPlace,
    NodePlace,
    Nodes,
    Pattern,
)  # fmt: skip
from osteoscope.simulate.lesion_patterns import SPREAD, from_the_ends
from osteoscope.simulate.lesion_shapes import Placed, ball, diffuse_from_mm, in_joined_balls, length_mm
from osteoscope.simulate.shapes import Floats
from osteoscope.simulate.soft_tissue_lesions import mass, nodes

__all__ = [
    "Confluent", "Diffuse", "Foci", "Lesion", "Mass", "MassPlace", "NodePlace", "Nodes", "Pattern", "Placed",
    "place_lesions",
]  # fmt: skip

_SEPARATION, _SEPARATION_FLOOR_MM, _RELAX, _TOUCHING = 2.5, 22.0, 0.8, 1.3
_BREACH, _TRIES = 0.6, 40
_SIZES_MM = (6.0, 28.0)
_METAPHYSIS_MM, _STEPS, _TRIED = 14.0, 100, 16
_SHORT, _LONG = 0.85, 1.3


def place_lesions(body: Body, lesions: Iterable[Lesion], rng: np.random.Generator) -> tuple[Placed, ...]:
    """Put lesions into a body: masses and nodes, then diffuse disease, confluent foci, and foci clear of all else.

    A site that the body does not have takes no lesion. Foci keep a distance in the picture, which shrinks where a
    site is small; what still would touch another lesion is left out, since it could not be told apart.
    """
    wanted = list(lesions)
    placed = [mass(body, lesion, rng) for lesion in wanted if isinstance(lesion, Mass)]
    for lesion in wanted:
        if isinstance(lesion, Nodes):
            placed += nodes(body, lesion, rng)
    for lesion in wanted:
        if isinstance(lesion, Diffuse):
            placed += _diffuse(body, lesion, rng)
    for lesion in wanted:
        if isinstance(lesion, Confluent):
            placed += _confluent(body, lesion, placed, rng)
    for lesion in wanted:
        if isinstance(lesion, Foci):
            placed += _foci(body, lesion, placed, rng)
    return tuple(p for p in placed if p.voxels.size)


@dataclass(frozen=True, eq=False)
class _Room:
    """Bone of a site that no lesion holds: voxels, positions, labels, distance in the picture to other lesions."""

    bone: NDArray[np.int64]
    at: Floats
    label: NDArray[np.uint8]
    distance: Floats


def _room(body: Body, site: str, others: Sequence[Placed]) -> _Room | None:
    bone = body.bone(SIOPEN.get(site, (site,)))
    taken = [p.voxels for p in others if p.unit != SOFT_TISSUE]
    if taken and bone.size:
        held = np.zeros(body.labels.size, dtype=bool)
        for voxels in taken:
            held[voxels] = True
        bone = bone[~held[bone]]
    if not bone.size:
        return None
    bone = np.sort(bone)
    at = body.positions(bone)
    distance = np.full(len(bone), np.inf)
    if taken:
        z, x = body.in_picture(np.concatenate(taken))
        pixels = np.unique(z * body.grid.shape[2] + x)
        edge = body.positions(pixels // body.grid.shape[2] * (body.grid.shape[1] * body.grid.shape[2])
                              + pixels % body.grid.shape[2])[:, [0, 2]]  # fmt: skip
        distance = np.asarray(cKDTree(edge).query(at[:, [0, 2]])[0], dtype=float)
    return _Room(bone, at, body.labels.ravel()[bone], distance)


def _foci(body: Body, lesion: Foci, others: Sequence[Placed], rng: np.random.Generator) -> list[Placed]:
    room = _room(body, lesion.site, others)
    if room is None:
        return []
    distance = room.distance
    if lesion.at == "ends":
        distance = np.where(from_the_ends(body, room.bone, rng) <= _METAPHYSIS_MM, distance, -1.0)
    clear = max(_SEPARATION * lesion.diameter_mm, _SEPARATION_FLOOR_MM)
    placed = []
    for _ in range(lesion.count):
        size = lesion.diameter_mm
        if lesion.size_spread:
            size = float(np.clip(size * rng.lognormal(0, lesion.size_spread), *_SIZES_MM))
        while clear >= _TOUCHING * size and not (distance >= clear).any():
            clear *= _RELAX
        if clear < _TOUCHING * size:
            break
        centre = _marrow(np.flatnonzero(distance >= clear), room.at, size, rng)
        away = room.at - room.at[centre]
        distance = np.minimum(distance, np.linalg.norm(away[:, [0, 2]], axis=1) - (size - lesion.diameter_mm) / 2)
        own = room.bone[in_joined_balls(away, size, rng) & (room.label == room.label[centre])]
        breach = ball(body, room.at[centre], _BREACH * size / 2)
        unit = PLANAR_UNITS[int(body.unit_of_structure[room.label[centre]])]
        heat = lesion.contrast * float(rng.lognormal(0, lesion.heat_spread))
        placed.append(Placed(unit, "focal", np.union1d(own, breach), heat))
    return placed


def _marrow(free: NDArray[np.int64], at: Floats, diameter_mm: float, rng: np.random.Generator) -> int:
    """One of the free voxels, more likely where there is more bone around it."""
    tried = rng.choice(free, min(_TRIES, free.size), replace=False)
    around = cKDTree(at).query_ball_point(at[tried], diameter_mm / 2, return_length=True)
    return int(rng.choice(tried, p=around / around.sum()))


def _confluent(body: Body, lesion: Confluent, others: Sequence[Placed], rng: np.random.Generator) -> list[Placed]:
    """Balls that each begin within the last ones, until they are long enough, or would be too long."""
    room = _room(body, lesion.site, others)
    size = lesion.diameter_mm
    if room is None or not (room.distance >= _TOUCHING * size).any():
        return []
    start = _marrow(np.flatnonzero(room.distance >= _TOUCHING * size), room.at, size, rng)
    unit = int(body.unit_of_structure[room.label[start]])
    own = (body.unit_of_structure[room.label] == unit) & (room.distance >= 0.5 * _TOUCHING * size)
    bone, at = room.bone[own], room.at[own]
    limit = diffuse_from_mm(body, PLANAR_UNITS[unit])
    taken = np.linalg.norm(at - room.at[start], axis=1) <= size / 2
    for _ in range(_STEPS):
        length = length_mm(at[taken])
        if length >= (_LONG * limit if lesion.long else max(_SHORT * limit - size, 1.3 * size)):
            break
        rim = np.flatnonzero(cKDTree(at[taken]).query(at, distance_upper_bound=0.6 * size)[0] <= 0.6 * size)
        outer = rim[~taken[rim]]
        if not outer.size:
            break
        tried = outer[rng.integers(len(outer), size=_TRIED)]
        best = tried[np.argmax(np.linalg.norm(at[tried] - room.at[start], axis=1))] if lesion.long else tried[0]
        grown = taken | (np.linalg.norm(at - at[best], axis=1) <= size / 2 * rng.uniform(0.8, 1.2))
        if not lesion.long and length_mm(at[grown]) >= limit:
            break
        taken = grown
    kind: Literal["focal", "diffuse"] = "diffuse" if length_mm(at[taken]) > limit else "focal"
    return [Placed(PLANAR_UNITS[unit], kind, bone[taken], lesion.contrast)]


def _diffuse(body: Body, lesion: Diffuse, rng: np.random.Generator) -> list[Placed]:
    bone = body.bone(SIOPEN.get(lesion.site, (lesion.site,)))
    if not bone.size:
        return []
    count = max(1, round(lesion.fraction * bone.size))
    score = SPREAD[lesion.pattern](body, bone, rng)
    chosen = np.sort(bone[np.argpartition(score, count - 1)[:count]])
    unit = body.unit(chosen)
    return [Placed(PLANAR_UNITS[int(n)], "diffuse", chosen[unit == n], lesion.contrast) for n in np.unique(unit)]
