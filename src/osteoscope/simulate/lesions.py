"""Disease put into a body: foci, diffuse involvement, soft-tissue masses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

_SEPARATION, _SEPARATION_FLOOR_MM, _RELAX = 2.5, 22.0, 0.8
_WAVELENGTH_MM = 45.0

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
    contrast: float = 15.0

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
    contrast: float = 8.0

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
    site is too small for them all.
    """
    wanted = list(lesions)
    placed = [_mass(body, lesion) for lesion in wanted if isinstance(lesion, Mass)]
    for lesion in wanted:
        if isinstance(lesion, Diffuse):
            placed += _diffuse(body, lesion, rng)
    taken = np.concatenate([p.voxels for p in placed]) if placed else np.empty(0, dtype=np.int64)
    for lesion in wanted:
        if isinstance(lesion, Foci):
            placed += _foci(body, lesion, taken, rng)
            taken = np.concatenate([taken, *(p.voxels for p in placed[-lesion.count :])])
    return tuple(p for p in placed if p.voxels.size)


def units_of(site: str) -> tuple[str, ...]:
    """Planar units of a SIOPEN segment or of a planar unit."""
    return SIOPEN.get(site, (site,))


def _check_site(site: str) -> None:
    if site not in SIOPEN and (site not in PLANAR_UNITS or site == SOFT_TISSUE):
        raise InvalidValueError("build a lesion", f"site {site!r}", "Name a planar unit or a SIOPEN segment")


def _voxels(body: Body, site: str) -> NDArray[np.int64]:
    wanted = [PLANAR_UNITS.index(unit) for unit in units_of(site)]
    return np.flatnonzero(np.isin(body.unit_of_structure, wanted)[body.labels])


def _positions(body: Body, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Positions (x, y, z) in mm, shape (n, 3)."""
    return body.grid.to_position(np.stack(np.unravel_index(voxels, body.grid.shape), axis=1))


def _foci(body: Body, lesion: Foci, taken: NDArray[np.int64], rng: np.random.Generator) -> list[Placed]:
    bone = np.setdiff1d(_voxels(body, lesion.site), taken, assume_unique=False)
    if not bone.size:
        return []
    at = _positions(body, bone)
    picture = at[:, [0, 2]]
    clear = max(_SEPARATION * lesion.diameter_mm, _SEPARATION_FLOOR_MM)
    distance = _distance_to(_positions(body, taken)[:, [0, 2]], picture)
    placed = []
    for _ in range(lesion.count):
        while not (distance >= clear).any():
            clear *= _RELAX
        centre = int(rng.choice(np.flatnonzero(distance >= clear)))
        distance = np.minimum(distance, np.linalg.norm(picture - picture[centre], axis=1))
        within = np.linalg.norm(at - at[centre], axis=1) <= lesion.diameter_mm / 2
        unit = PLANAR_UNITS[int(body.unit_index.flat[bone[centre]])]
        placed.append(Placed(unit, "focal", bone[within], lesion.contrast * float(rng.lognormal(0, 0.2))))
    return placed


def _distance_to(taken: NDArray[np.float64], picture: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(taken):
        return np.full(len(picture), np.inf)
    return np.asarray(cKDTree(taken).query(picture)[0], dtype=float)


def _diffuse(body: Body, lesion: Diffuse, rng: np.random.Generator) -> list[Placed]:
    bone = _voxels(body, lesion.site)
    if not bone.size:
        return []
    order = np.argsort(_SPREAD[lesion.pattern](body, bone, rng), kind="stable")
    chosen = np.sort(bone[order[: max(1, round(lesion.fraction * bone.size))]])
    unit = body.unit_index.flat[chosen]
    return [Placed(PLANAR_UNITS[int(n)], "diffuse", chosen[unit == n], lesion.contrast) for n in np.unique(unit)]


def _from_a_seed(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    picture = _positions(body, bone)[:, [0, 2]]
    return np.asarray(np.linalg.norm(picture - picture[rng.integers(len(bone))], axis=1))


def _in_islands(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    waves = rng.normal(0, 2 * np.pi / _WAVELENGTH_MM, (3, 12))
    return np.asarray(np.cos(_positions(body, bone) @ waves + rng.uniform(0, 2 * np.pi, 12)).sum(axis=1))


def _from_the_ends(body: Body, bone: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    at, label = _positions(body, bone), body.labels.flat[bone]
    score = np.empty(len(bone))
    for structure in np.unique(label):
        own = at[label == structure]
        centred = own - own.mean(axis=0)
        along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
        score[label == structure] = np.minimum(along - along.min(), along.max() - along)
    return score + rng.normal(0, 2.0, len(bone))


_SPREAD = MappingProxyType({"patch": _from_a_seed, "patchy": _in_islands, "metaphyseal": _from_the_ends})


def _mass(body: Body, lesion: Mass) -> Placed:
    upper, lower = (_positions(body, _voxels(body, unit)).mean(axis=0) for unit in ("thoracic_spine", "lumbar_spine"))
    down = lower - upper
    share_down, left, front = _MASS_PLACES[lesion.place]
    centre = upper + share_down * down + float(np.linalg.norm(down)) * np.array([left, -front, 0.0])
    soft = np.flatnonzero((body.labels > 0) & (body.unit_index < 0))
    near = np.linalg.norm(_positions(body, soft) - centre, axis=1) <= lesion.diameter_mm / 2
    return Placed(SOFT_TISSUE, "focal", soft[near], lesion.contrast)
