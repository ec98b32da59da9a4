"""Single vertebrae and ribs from what the network says of each cell."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from osteoscope.find.ct_bone_look import Seen
from osteoscope.find.ct_bone_maps import FIRST_RIB

Mask = NDArray[np.bool_]
Cells = NDArray[np.intp]
_STEPS = 2  # places per cell at which votes are gathered


@dataclass(frozen=True)
class PieceOptions:
    """Choices of the parting; lengths in cells of 8 mm. Design choices.

    Args:
        blur: width (sigma) by which votes for a centre are smeared.
        apart: centres of vertebrae are at least so far from each other.
        least_votes: a vertebra has at least so many cells; those of a small neck have about 12.
        one_rib: share of a connected piece of rib that must bear one number for the piece to be one rib.
        least_rib: smaller parts of a piece follow the number of most of it.
        touching: a rib belongs to a vertebra that it comes so near to.
    """

    blur: float = 0.8
    apart: float = 1.4
    least_votes: int = 5
    one_rib: float = 0.75
    least_rib: int = 3
    touching: float = 1.5


@dataclass(frozen=True, eq=False)
class Vertebra:
    """One vertebra: its cells (n, 3), its centre, its level as the network reads it, and how far off that may be."""

    cells: Cells
    centre: NDArray[np.float64]
    level: float
    spread: float


@dataclass(frozen=True, eq=False)
class Rib:
    """One rib: its cells (n, 3), the level of its vertebra by the network, and how far off it may be."""

    cells: Cells
    level: float
    spread: float


def vertebrae(seen: Seen, where: Mask, options: PieceOptions = PieceOptions()) -> list[Vertebra]:
    """The vertebrae among the cells of a mask, from below upwards: every cell votes for a centre."""
    cells = np.argwhere(where)
    if len(cells) < options.least_votes:
        return []
    votes = np.asarray(cells + seen.way[:, *cells.T].T, dtype=np.float64)
    peaks = _peaks(votes, options)
    while len(peaks):
        _, owner = cKDTree(peaks).query(votes)
        sizes = np.bincount(owner, minlength=len(peaks))
        if sizes.min() >= options.least_votes:
            order = np.argsort(peaks[:, 0])
            return [_vertebra(seen, cells[owner == n], peaks[n]) for n in order]
        peaks = np.delete(peaks, sizes.argmin(), axis=0)
    return []


def _peaks(votes: NDArray[np.float64], options: PieceOptions) -> NDArray[np.float64]:
    low = np.floor(votes.min(axis=0) * _STEPS).astype(int) - 4
    places = np.rint(votes * _STEPS).astype(int) - low
    shape = tuple(int(n) + 5 for n in places.max(axis=0))
    heat = np.bincount(np.ravel_multi_index(tuple(places.T), shape), minlength=int(np.prod(shape))).astype(np.float32)
    smeared = ndimage.gaussian_filter(heat.reshape(shape), options.blur * _STEPS, mode="constant")
    highest = (smeared == ndimage.maximum_filter(smeared, size=5)) & (smeared > 0.02 * smeared.max())
    found = np.argwhere(highest)
    kept: list[NDArray[np.intp]] = []
    for at in found[np.argsort(-smeared[highest])]:
        if all(np.linalg.norm(at - other) >= options.apart * _STEPS for other in kept):
            kept.append(at)
    return np.asarray((np.array(kept).reshape(-1, 3) + low) / _STEPS, dtype=np.float64)


def _vertebra(seen: Seen, cells: Cells, centre: NDArray[np.float64]) -> Vertebra:
    level, spread = level_at(seen, cells)
    return Vertebra(cells, centre, level, spread)


def level_at(seen: Seen, cells: Cells) -> tuple[float, float]:
    """Median level of cells, and the median of how far off it may be."""
    at = tuple(cells.T)
    return float(np.median(seen.level[at].astype(np.float32))), float(np.median(seen.spread[at].astype(np.float32)))


def ribs(seen: Seen, where: Mask, options: PieceOptions = PieceOptions()) -> list[Rib]:
    """The ribs among the cells of one side: connected pieces, parted where their level changes."""
    pieces = cc3d.connected_components(where, connectivity=18)
    number = np.rint(seen.level.astype(np.float32)).astype(np.int16)
    parted = np.zeros(where.shape, dtype=np.int16)
    for piece, box in enumerate(ndimage.find_objects(pieces.astype(np.int32)), start=1):
        if box is not None:
            inside = pieces[box] == piece
            parted[box][inside] = _numbers(number[box], inside, options)
    found = []
    for level in np.unique(parted[parted > 0]).tolist():
        cells = np.argwhere(parted == level)
        mean, spread = level_at(seen, cells)
        found.append(Rib(cells, min(max(mean, level - 1.49), level - 0.51), spread))
    return found


def _numbers(number: NDArray[np.int16], inside: Mask, options: PieceOptions) -> NDArray[np.int16]:
    """1 + level of each cell of a piece: one for all, or one for each part of it."""
    values, sizes = np.unique(number[inside], return_counts=True)
    largest = values[sizes.argmax()]
    if sizes.max() < options.one_rib * sizes.sum():
        parts = cc3d.connected_components(np.where(inside, number + 100, 0).astype(np.uint16), connectivity=26)
        small = np.bincount(parts.ravel()) < options.least_rib
        small[0] = False
        own = np.where(small[parts], largest, number)
        return np.asarray(np.clip(own[inside], FIRST_RIB, FIRST_RIB + 11) + 1, dtype=np.int16)
    return np.full(int(inside.sum()), np.clip(largest, FIRST_RIB, FIRST_RIB + 11) + 1, dtype=np.int16)


def bearing(found: list[Vertebra], near: list[Rib], options: PieceOptions = PieceOptions()) -> list[int]:
    """Numbers of the vertebrae that a rib touches."""
    if not found or not near:
        return []
    tree = cKDTree(np.concatenate([vertebra.cells for vertebra in found]))
    owner = np.repeat(np.arange(len(found)), [len(vertebra.cells) for vertebra in found])
    touched = set()
    for rib in near:
        away, nearest = tree.query(rib.cells)
        if away.min() <= options.touching:
            touched.add(int(owner[nearest[away.argmin()]]))
    return sorted(touched)
