"""Disease put into a body: foci, diffuse involvement, soft-tissue masses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.domain.anatomy import PLANAR_UNITS, SIOPEN
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import SOFT_TISSUE, Body

Pattern = Literal["patch", "patchy", "metaphyseal"]
MassPlace = Literal["adrenal_right", "adrenal_left", "abdomen", "mediastinum", "neck", "pelvis"]

_SEPARATION, _SEPARATION_FLOOR_MM, _RELAX, _TOUCHING = 2.5, 22.0, 0.8, 1.3
_WAVELENGTH_MM = 90.0
_BREACH, _TRIES = 0.6, 40

# From the middle of the thoracic spine, in lengths of the way to the middle of the lumbar spine: (down, left, front).
_MASS_PLACES: Mapping[MassPlace, tuple[float, float, float]] = MappingProxyType(
    {
        "adrenal_right": (0.72, -0.24, 0.16), "adrenal_left": (0.70, 0.26, 0.16), "abdomen": (0.95, 0.10, 0.30),
        "mediastinum": (-0.25, 0.10, 0.12), "neck": (-0.85, 0.22, 0.12), "pelvis": (1.60, 0.10, 0.15),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Foci:
    """Discrete skeletal lesions.

    Args:
        site: a planar unit or a SIOPEN segment.
        count: how many, at least 1.
        diameter_mm: of each.
        contrast: concentration, mediastinum = 1.
    """

    site: str
    count: int = 1
    diameter_mm: float = 14.0
    contrast: float = 30.0

    def __post_init__(self) -> None:
        _check_site(self.site)
        if self.count < 1 or self.diameter_mm <= 0:
            raise InvalidValueError(
                f"build foci in {self.site}", f"{self.count} of {self.diameter_mm} mm", "Give at least 1 of some size"
            )


@dataclass(frozen=True)
class Diffuse:
    """Diffuse skeletal involvement.

    Args:
        site: a planar unit or a SIOPEN segment.
        fraction: share of the site's bone volume, above 0, up to 1.
        pattern: "patch" (grows from one place), "patchy" (islands), "metaphyseal" (grows from the ends of bones).
        contrast: concentration, mediastinum = 1.
    """

    site: str
    fraction: float = 1.0
    pattern: Pattern = "patch"
    contrast: float = 15.0

    def __post_init__(self) -> None:
        _check_site(self.site)
        if not 0 < self.fraction <= 1:
            raise InvalidValueError(
                f"build diffuse disease of {self.site}", f"fraction {self.fraction}", "Give a number in 0..1"
            )


@dataclass(frozen=True)
class Mass:
    """A primary tumour or a node: soft tissue, never bone."""

    place: MassPlace = "adrenal_left"
    diameter_mm: float = 40.0
    contrast: float = 10.0


Lesion = Foci | Diffuse | Mass


@dataclass(frozen=True, eq=False)
class Placed:
    """One lesion, or the part of a diffuse one within one unit.

    Args:
        unit: planar unit ("soft_tissue" for a mass).
        kind: focal or diffuse.
        voxels: flat indices into the body's labels.
        contrast: concentration, mediastinum = 1.
    """

    unit: str
    kind: Literal["focal", "diffuse"]
    voxels: NDArray[np.int64]
    contrast: float


def place_lesions(body: Body, lesions: Iterable[Lesion], rng: np.random.Generator) -> tuple[Placed, ...]:
    """Put lesions into a body: masses, then diffuse disease, then foci clear of everything else.

    A site that the body does not have takes no lesion. Foci keep a distance in the picture, which shrinks where a
    site is small; what still would touch another lesion is left out, since it could not be told apart.
    """
    wanted = list(lesions)
    placed = [_mass(body, lesion) for lesion in wanted if isinstance(lesion, Mass)]
    for lesion in wanted:
        if isinstance(lesion, Diffuse):
            placed += _diffuse(body, lesion, rng)
    for lesion in wanted:
        if isinstance(lesion, Foci):
            placed += _foci(body, lesion, placed, rng)
    return tuple(p for p in placed if p.voxels.size)


def _check_site(site: str) -> None:
    if site not in SIOPEN and (site not in PLANAR_UNITS or site == SOFT_TISSUE):
        raise InvalidValueError("build a lesion", f"site {site!r}", "Name a planar unit or a SIOPEN segment")


def _bone(body: Body, site: str) -> NDArray[np.int64]:
    return body.bone(SIOPEN.get(site, (site,)))


def _foci(body: Body, lesion: Foci, others: Sequence[Placed], rng: np.random.Generator) -> list[Placed]:
    bone = _bone(body, lesion.site)
    taken = np.concatenate([np.empty(0, dtype=np.int64), *(p.voxels for p in others if p.unit != SOFT_TISSUE)])
    bone = np.setdiff1d(bone, taken)
    if not bone.size:
        return []
    at, label = body.positions(bone), body.labels.ravel()[bone]
    clear = max(_SEPARATION * lesion.diameter_mm, _SEPARATION_FLOOR_MM)
    distance = _distance_to(body.positions(taken)[:, [0, 2]], at[:, [0, 2]])
    placed = []
    for _ in range(lesion.count):
        while clear >= _TOUCHING * lesion.diameter_mm and not (distance >= clear).any():
            clear *= _RELAX
        if clear < _TOUCHING * lesion.diameter_mm:
            break
        centre = _marrow(np.flatnonzero(distance >= clear), at, lesion.diameter_mm, rng)
        distance = np.minimum(distance, np.linalg.norm((at - at[centre])[:, [0, 2]], axis=1))
        away = np.linalg.norm(at - at[centre], axis=1)
        own = bone[(away <= lesion.diameter_mm / 2) & (label == label[centre])]
        breach = _ball(body, at[centre], _BREACH * lesion.diameter_mm / 2)
        unit = PLANAR_UNITS[int(body.unit_of_structure[label[centre]])]
        heat = lesion.contrast * float(rng.lognormal(0, 0.2))
        placed.append(Placed(unit, "focal", np.union1d(own, breach), heat))
    return placed


def _marrow(free: NDArray[np.int64], at: NDArray[np.float64], diameter_mm: float, rng: np.random.Generator) -> int:
    """One of the free voxels, more likely where there is more bone around it."""
    tried = rng.choice(free, min(_TRIES, free.size), replace=False)
    around = cKDTree(at).query_ball_point(at[tried], diameter_mm / 2, return_length=True)
    return int(rng.choice(tried, p=around / around.sum()))


def _ball(body: Body, centre: NDArray[np.float64], radius_mm: float) -> NDArray[np.int64]:
    """Flat indices of all voxels but air around a position."""
    middle, step = body.grid.to_index(centre), np.asarray(body.grid.spacing)
    low = np.maximum(np.floor(middle - radius_mm / step), 0).astype(int)
    high = np.minimum(np.ceil(middle + radius_mm / step) + 1, body.grid.shape).astype(int)
    index = np.stack([m.ravel() for m in np.mgrid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]])
    near = (((index.T - middle) * step) ** 2).sum(axis=1) <= radius_mm**2
    flat = np.ravel_multi_index(tuple(index[:, near]), body.grid.shape)
    return np.asarray(flat[body.labels.ravel()[flat] > 0], dtype=np.int64)


def _distance_to(taken: NDArray[np.float64], picture: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(taken):
        return np.full(len(picture), np.inf)
    return np.asarray(cKDTree(taken).query(picture)[0], dtype=float)


def _diffuse(body: Body, lesion: Diffuse, rng: np.random.Generator) -> list[Placed]:
    bone = _bone(body, lesion.site)
    if not bone.size:
        return []
    order = np.argsort(_SPREAD[lesion.pattern](body, bone, rng), kind="stable")
    chosen = np.sort(bone[order[: max(1, round(lesion.fraction * bone.size))]])
    unit = body.unit(chosen)
    return [Placed(PLANAR_UNITS[int(n)], "diffuse", chosen[unit == n], lesion.contrast) for n in np.unique(unit)]


def _from_a_seed(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    picture = body.positions(bone)[:, [0, 2]]
    return np.asarray(np.linalg.norm(picture - picture[rng.integers(len(bone))], axis=1))


def _in_islands(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A sum of random waves, the same from front to back so that islands go through."""
    waves = rng.normal(0, 2 * np.pi / _WAVELENGTH_MM, (2, 12))
    picture = body.positions(bone)[:, [0, 2]]
    return np.asarray(np.cos(picture @ waves + rng.uniform(0, 2 * np.pi, 12)).sum(axis=1))


def _from_the_ends(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    at, label = body.positions(bone), body.labels.ravel()[bone]
    score = np.empty(len(bone))
    for structure in np.unique(label):
        centred = at[label == structure] - at[label == structure].mean(axis=0)
        along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
        score[label == structure] = np.minimum(along - along.min(), along.max() - along)
    return score + rng.normal(0, 2.0, len(bone))


_SPREAD = MappingProxyType({"patch": _from_a_seed, "patchy": _in_islands, "metaphyseal": _from_the_ends})


def _mass(body: Body, lesion: Mass) -> Placed:
    upper, lower = (body.positions(body.bone((unit,))).mean(axis=0) for unit in ("thoracic_spine", "lumbar_spine"))
    share_down, left, front = _MASS_PLACES[lesion.place]
    reach = float(np.linalg.norm(lower - upper))
    centre = upper + share_down * (lower - upper) + reach * np.array([left, -front, 0.0])
    near = _ball(body, centre, lesion.diameter_mm / 2)
    return Placed(SOFT_TISSUE, "focal", near[body.unit(near) < 0], lesion.contrast)
