"""Names for the parts that geometry cuts bone into: the network's cells vote on what each part is.

Geometry parts vertebrae at their discs and ribs at their necks to the voxel, but takes a pelvis for a skull where it
finds no landmark; the network knows kinds of bone and sides, but sees cells of 8 mm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from osteoscope.domain.anatomy import SIDES, VERTEBRAE
from osteoscope.domain.reading import LEVEL_UNCERTAIN
from osteoscope.find.ct_bone_borders import Places, kinds_of_voxels
from osteoscope.find.ct_bone_count import Count, CountOptions, count_levels, rib_level
from osteoscope.find.ct_bone_look import Seen
from osteoscope.find.ct_bone_maps import BONE, FIRST_RIB, KIND_OF, KINDS, VERTEBRA
from osteoscope.find.ct_bone_naming import Naming
from osteoscope.find.ct_bone_pieces import Cells, Rib, Vertebra, level_at
from osteoscope.find.ct_bone_places import Ladder, as_parted
from osteoscope.find.ct_cage import Cage
from osteoscope.find.ct_level_odds import Marks
from osteoscope.find.ct_levels import Level, rib_levels
from osteoscope.find.ct_parts import Part, Parts
from osteoscope.find.ct_rib_order import Reads

_VERTEBRA, _SACRUM, _SKULL = (KIND_OF[kind] for kind in (VERTEBRA, "sacrum", "skull"))
_RIBS = {KIND_OF[f"rib_{side}"]: side for side in SIDES}
_LAST_LUMBAR, _LAST_NECK = VERTEBRAE.index("vertebra_L5"), VERTEBRAE.index("vertebra_C7")
_BEARING = VERTEBRAE[FIRST_RIB : FIRST_RIB + 12]  # ribs
_SPARSE = 50  # one of so many voxels of ribs is asked what the network reads
_LEAST_OF_SLICE = 40  # voxels of a landmark
Piece = TypeVar("Piece", Vertebra, Rib)
_Numbered = tuple[str, Cells, int | None]  # side, voxels and number of a rib


@dataclass(frozen=True)
class VoteOptions:
    """Choices of the vote; chosen on simulated trunks.

    Args:
        whole: share of a part that one kind must hold for the whole part to be of it; else each voxel by itself.
        vertebra, surely: share from which a part that geometry took for a vertebra is one, and beyond doubt; the latter
            also makes a rib.
        astray: levels; a doubtful vertebra that the network reads so far from what its neighbours imply is none.
        fragment: voxels of 1.5 mm; a smaller piece of a vertebra belongs to the nearest one.
        sliver: voxels; smaller pieces of ribs without a number are one bone together, not each a bone of its own.
        sacrum, skull: voxels from which they are landmarks.
        off: levels by which the network may disagree with a landmark.
        adjoining: cells; sacrum and skull adjoin a row of vertebrae that comes so near to them.
    """

    whole: float = 0.95
    vertebra: float = 0.35
    surely: float = 0.6
    astray: float = 4.0
    fragment: int = 1500
    sliver: int = 60
    sacrum: int = 4500
    skull: int = 9000
    off: float = 5.0
    adjoining: int = 2
    count: CountOptions = field(default_factory=CountOptions)


@dataclass(frozen=True, eq=False)
class _Voted(Generic[Piece]):
    """A part that is one bone: its number and box, what geometry says, what the network says, how much of it agrees."""

    number: int
    box: tuple[slice, ...]
    part: Part
    piece: Piece
    share: float


def name_parts(parts: Parts, seen: Seen, places: Places, options: VoteOptions = VoteOptions()) -> Naming:
    """Names of all parts of a scan whose vertebrae geometry has parted.

    Args:
        parts: labels [z, y, x] of the working frame.
        seen: what the network says of each cell.
        places: of the voxels among the cells.
        options: see `VoteOptions`.
    """
    vote = _Vote(parts, seen, places, options)
    row = vote.row()
    count = count_levels([one.piece for one in row], vote.marks(row), options.count)
    naming = Naming(parts.labels.shape)
    centres = []
    for one, level in zip(row, count.levels, strict=True):
        voxels = vote.voxels(one)
        naming.add(voxels, level.vertebra, VERTEBRA, level)
        centres.append(voxels.mean(axis=0))
    ribs = list(_numbered(vote, row, count))
    followed = [(number, voxels) for _, voxels, number in ribs if number]
    cage = Cage.of(np.array(centres), count, followed, _reads(vote, row, count))
    if cage is None:
        _name_ribs_alone(naming, vote, row, count)
    else:
        _name_ribs(naming, ribs, cage)
    _name_rest(naming, vote, row, cage)
    return naming


class _Vote:
    """The parts sorted by what most of their voxels are."""

    def __init__(self, parts: Parts, seen: Seen, places: Places, options: VoteOptions) -> None:
        self.parts, self.seen, self.axes, self.options = parts, seen, places.axes, options
        self.kinds = kinds_of_voxels(seen, places, parts.labels > 0)
        self.vertebrae: list[_Voted[Vertebra]] = []
        self.ribs: list[tuple[str, _Voted[Rib]]] = []
        self.joints: list[float] = []  # where geometry followed ribs to the spine, whatever cells of them are
        # 1 + kind of voxels whose part is not named as a whole.
        self.loose = np.zeros(parts.labels.shape, dtype=np.uint8)
        for number, box in enumerate(ndimage.find_objects(parts.labels), start=1):
            if box is not None:
                self._sort(number, box)

    def _sort(self, number: int, box: tuple[slice, ...]) -> None:
        inside = self.parts.labels[box] == number
        part = self.parts.parts[number - 1]
        kinds = as_parted(self.kinds[box][inside], part, self.parts.parts)
        shares = np.bincount(kinds, minlength=len(KINDS)) / len(kinds)
        top = int(shares.argmax())
        if part.kind == "rib" and shares[_VERTEBRA] < self.options.vertebra:
            self.joints += part.place[:1]
        found = np.argwhere(inside) + [s.start for s in box]
        cells = self._cells(found)
        level, spread = self._level(cells)
        if part.kind == "vertebra" and shares[_VERTEBRA] > self.options.vertebra:
            if shares[_VERTEBRA] < self.options.surely and level > _LAST_LUMBAR + 1:
                self.loose[box][inside] = 1 + _SACRUM
                return
            vertebra = Vertebra(cells, cells.mean(axis=0), level, spread)
            self.vertebrae.append(_Voted(number, box, part, vertebra, float(shares[_VERTEBRA])))
            self._loosen(found, kinds, np.isin(kinds, [*_RIBS, _SACRUM]))
        elif top in _RIBS and shares[top] >= self.options.surely:
            self.ribs.append((_RIBS[top], _Voted(number, box, part, Rib(cells, level, spread), float(shares[top]))))
            self._loosen(found, kinds, ~np.isin(kinds, [*_RIBS, KIND_OF[BONE]]))
        else:
            self.loose[box][inside] = 1 + (top if shares[top] >= self.options.whole else kinds)

    def _loosen(self, voxels: Cells, kinds: NDArray[np.uint8], other: NDArray[np.bool_]) -> None:
        """What of a rib, or a vertebra, is another bone that geometry did not part from it: rib heads, a sacrum."""
        self.loose[tuple(voxels[other].T)] = 1 + kinds[other]

    def _level(self, cells: Cells) -> tuple[float, float]:
        """By the cells that have one, if any do."""
        levelled = np.isin(self.seen.kind[tuple(cells.T)], (_VERTEBRA, *_RIBS))
        return level_at(self.seen, cells[levelled] if levelled.any() else cells)

    def voxels(self, one: _Voted[Vertebra] | _Voted[Rib]) -> NDArray[np.intp]:
        """All voxels of a part (n, 3) that are not loose."""
        inside: Cells = np.argwhere((self.parts.labels[one.box] == one.number) & (self.loose[one.box] == 0))
        inside += [s.start for s in one.box]
        return inside

    def _cells(self, voxels: NDArray[np.intp]) -> Cells:
        return np.unique(self.cell_of(voxels), axis=0)

    def cell_of(self, voxels: NDArray[np.intp]) -> Cells:
        """The cell (n, 3) that each voxel (n, 3) lies in."""
        return np.stack([axis[voxels[:, n]] for n, axis in enumerate(self.axes)], axis=1)

    def row(self) -> list[_Voted[Vertebra]]:
        """The vertebrae from below upwards; what is none of them becomes loose."""
        found = sorted(self.vertebrae, key=lambda one: float(one.piece.centre[0]))
        if len(found) < 3:
            return found
        bases = np.array([one.piece.level for one in found]) + np.arange(len(found))
        off = np.abs(bases - np.median(bases)) > self.options.astray
        doubtful = [one.share < self.options.surely or len(self.voxels(one)) < self.options.fragment for one in found]
        kept = []
        for one, drop in zip(found, off & np.array(doubtful), strict=True):
            if drop:
                self.loose[tuple(self.voxels(one).T)] = 1 + _VERTEBRA
            else:
                kept.append(one)
        return kept

    def marks(self, row: Sequence[_Voted[Vertebra]]) -> Marks:
        """Landmarks of the row, as far as the network's levels do not rule them out."""
        if not row:
            return Marks()
        options = self.options
        bearing = {place for place in rib_levels(self.joints, _spans(row)) if place is not None}
        sacrum, skull = self._slices(_SACRUM, options.sacrum), self._slices(_SKULL, options.skull)
        low, high = row[0].piece, row[-1].piece
        return Marks(
            sorted(bearing),
            sacrum is not None
            and abs(low.level - _LAST_LUMBAR) < options.off
            and sacrum[1] >= low.cells[:, 0].min() - options.adjoining,
            skull is not None and high.level < _LAST_NECK and skull[0] <= high.cells[:, 0].max() + options.adjoining,
        )

    def _slices(self, kind: int, least: int) -> tuple[int, int] | None:
        """Lowest and highest slice of cells of a kind, None where there is too little of it."""
        of_slice = (self.loose == 1 + kind).sum(axis=(1, 2))
        if of_slice.sum() < least:
            return None
        slices = self.axes[0][np.flatnonzero(of_slice > _LEAST_OF_SLICE)]
        return (int(slices.min()), int(slices.max())) if slices.size else None

    def joined(self, row: Sequence[_Voted[Vertebra]]) -> Iterator[int | None]:
        """The vertebra of the row that geometry followed each rib to."""
        spans = _spans(row)
        for _, rib in self.ribs:
            place = rib.part.place[:1] if rib.part.kind == "rib" else ()
            yield rib_levels(place, spans)[0] if place else None


def _spans(row: Sequence[_Voted[Vertebra]]) -> list[tuple[float, float]]:
    """Where each vertebra of the row lies between its discs."""
    return [(one.part.place[0], one.part.place[1]) for one in row]


def _name_ribs(naming: Naming, ribs: Sequence[_Numbered], cage: Cage) -> None:
    for side in dict.fromkeys(side for side, _, _ in ribs):
        own = [(voxels, number) for at, voxels, number in ribs if at == side]
        known = {n: number for n, (_, number) in enumerate(own) if number}
        cage.name_apart(naming, [voxels for voxels, _ in own], known, side)


def _name_ribs_alone(naming: Naming, vote: _Vote, row: Sequence[_Voted[Vertebra]], count: Count) -> None:
    """Without a cage each rib goes by the vertebra that it is near to, and slivers by what lies around."""
    pieces = [one.piece for one in row]
    for side, rib in vote.ribs:
        voxels = vote.voxels(rib)
        if len(voxels) < vote.options.sliver:
            vote.loose[tuple(voxels.T)] = 1 + KIND_OF[f"rib_{side}"]
        else:
            naming.add_rib(voxels, side, rib_level(rib.piece, pieces, count))


def _numbered(vote: _Vote, row: Sequence[_Voted[Vertebra]], count: Count) -> Iterator[_Numbered]:
    """Each rib, with its number where geometry followed it to a vertebra whose level is known."""
    for (side, rib), place in zip(vote.ribs, vote.joined(row), strict=True):
        own = None if place is None else count.levels[place].vertebra
        yield side, vote.voxels(rib), _BEARING.index(own) + 1 if own in _BEARING else None


def _reads(vote: _Vote, row: Sequence[_Voted[Vertebra]], count: Count) -> Reads | None:
    """What the network reads along the ribs, moved as the count moved its reading of their vertebrae."""
    moved = [
        VERTEBRAE.index(level.vertebra) - one.piece.level
        for one, level in zip(row, count.levels, strict=True)
        if level.vertebra in _BEARING
    ]
    if not moved:
        return None
    voxels = np.argwhere(np.isin(vote.kinds, list(_RIBS)) & (vote.parts.labels > 0))[::_SPARSE]
    level = vote.seen.level[tuple(vote.cell_of(voxels).T)]
    return Reads(voxels, level.astype(np.float64) + np.median(moved) - FIRST_RIB + 1)


def _name_rest(naming: Naming, vote: _Vote, row: Sequence[_Voted[Vertebra]], cage: Cage | None) -> None:
    """Fragments of vertebrae go to the nearest; other bones by their kind."""
    every = np.argwhere(vote.loose)
    ladder = Ladder.of([one.piece for one in row])
    kinds = ladder.corrected(vote.loose[tuple(every.T)] - 1, vote.axes[0][every[:, 0]])
    for kind in np.unique(kinds).tolist():
        voxels, name = every[kinds == kind], KINDS[kind]
        cells = vote.cell_of(voxels)
        if kind == _VERTEBRA and row:
            _join(naming, vote, row, (voxels, cells))
        elif kind in _RIBS and cage is not None:
            cage.name(naming, voxels, _RIBS[kind])
        elif kind in _RIBS or name in (BONE, VERTEBRA):
            naming.add(voxels, None, name, Level(None, 0.3, (LEVEL_UNCERTAIN,)))
        else:
            naming.add(voxels, name, name, Level(None, vote.seen.surely(cells)))


def _join(naming: Naming, vote: _Vote, row: Sequence[_Voted[Vertebra]], found: tuple[Cells, Cells]) -> None:
    """Voxels, with the cell of each, take the name of the vertebra that is nearest."""
    voxels, cells = found
    tree = cKDTree(np.concatenate([one.piece.cells for one in row]))
    owner = np.repeat(np.arange(len(row)), [len(one.piece.cells) for one in row])
    places, of_voxel = np.unique(cells, axis=0, return_inverse=True)
    nearest = owner[tree.query(places)[1]]
    numbers = np.array([naming.voxels[tuple(vote.voxels(one)[0])] for one in row])
    naming.voxels[tuple(voxels.T)] = numbers[nearest[of_voxel.ravel()]]
