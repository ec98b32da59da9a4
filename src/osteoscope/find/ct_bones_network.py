"""The site map of a CT by the bones network: the same nouns as `osteoscope.find.ct_names.map_bones`, the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.anatomy import SIDES
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.find.ct_bone_count import Count, CountOptions, Marks, count_levels
from osteoscope.find.ct_bone_fine import EdgeOptions, coarse_frame, fine_bone, fine_sites
from osteoscope.find.ct_bone_look import Seen, filled, look
from osteoscope.find.ct_bone_maps import BONE, FINE_MM, FIRST_RIB, KIND_OF, KINDS, MODEL, VERTEBRA
from osteoscope.find.ct_bone_pieces import PieceOptions, Rib, Vertebra, bearing, ribs, vertebrae
from osteoscope.find.ct_bone_regions import Sites, voxels_on_source
from osteoscope.find.ct_frame import ct_image, working_frame
from osteoscope.find.ct_levels import Level
from osteoscope.find.ct_names import Name
from osteoscope.find.model import Model, shipped

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class NetworkOptions:
    """Choices of the site map.

    Args:
        bone: chance from which a voxel of 4 mm makes a cell bone.
        adjoining: cells; sacrum and skull adjoin a row of vertebrae that comes so near to them.
        rib_trust: factor on the trust in a rib's number beyond that in its vertebra's level.
        island: cells; a smaller island of a bone takes the name of the bone that it lies in.
        edge: where bone ends.
    """

    bone: float = 0.5
    adjoining: int = 2
    rib_trust: float = 0.9
    island: int = 5
    edge: EdgeOptions = field(default_factory=EdgeOptions)
    pieces: PieceOptions = field(default_factory=PieceOptions)
    count: CountOptions = field(default_factory=CountOptions)


def map_bones(
    study: Study, options: NetworkOptions = NetworkOptions(), card: Path | None = None
) -> tuple[MappedSite, ...]:
    """Every bone of a CT with its site.

    Regions lie on image "ct" in the scan's own grid, do not overlap, and together hold all bone. Names that cannot be
    given are "vertebra_unknown_n", "rib_left_unknown_n" or "bone_unknown_n".

    Args:
        study: with image "ct".
        options: see `NetworkOptions`.
        card: of another model than that of the package.

    Raises:
        UnsuitableStudyError: the study has no CT volume in HU.
        ModelError: the model is missing or broken.
    """
    model = shipped(MODEL) if card is None else Model.load(card)
    fine = working_frame(ct_image(study), FINE_MM)
    seen = look(coarse_frame(fine), model)
    names, cells = name_cells(seen, filled(seen, max(1, round(255 * options.bone))) > 0, options)
    bone = fine_bone(fine, seen.bone, options.edge)
    return voxels_on_source(fine, fine_sites(cells, fine.hu.shape), names, bone.view(np.uint8) * 255)


def name_cells(seen: Seen, bone: Mask, options: NetworkOptions = NetworkOptions()) -> tuple[list[Name], Sites]:
    """A list of names, and for each cell 0 or 1 + the number of its name."""
    seen = replace(seen, kind=_tidy(seen.kind, bone, options))
    row = vertebrae(seen, bone & (seen.kind == KIND_OF[VERTEBRA]), options.pieces)
    by_side = {s: ribs(seen, bone & (seen.kind == KIND_OF[f"rib_{s}"]), options.pieces) for s in SIDES}
    count = count_levels(row, _marks(seen, bone, row, [r for found in by_side.values() for r in found], options))
    named = _Named(bone.shape)
    for vertebra, level in zip(row, count.levels, strict=True):
        named.add(vertebra.cells, level.vertebra, "vertebra", level)
    for side, found in by_side.items():
        for rib in found:
            level = _rib_level(rib, row, count, options)
            site = None if level.vertebra is None else f"rib_{side}_{level.vertebra}"
            named.add(rib.cells, site, f"rib_{side}", level)
    _plain(named, seen, bone)
    return named.names, named.cells


class _Named:
    """Names under construction."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.names: list[Name] = []
        self.cells: Sites = np.zeros(shape, dtype=np.uint16)
        self._unknown: dict[str, int] = {}

    def add(self, cells: NDArray[np.intp], site: str | None, kind: str, level: Level) -> None:
        """Name cells (n, 3); without a site they get the next unknown of their kind, and one site has one name."""
        known = next((n for n, name in enumerate(self.names) if name.site == site), None)
        if known is None:
            self.names.append(Name(site or self._next(kind), round(level.confidence, 3), level.notes))
            known = len(self.names) - 1
        else:
            self.names[known] = _both(self.names[known], level)
        self.cells[tuple(cells.T)] = known + 1

    def _next(self, kind: str) -> str:
        self._unknown[kind] = self._unknown.get(kind, 0) + 1
        return f"{kind}_unknown_{self._unknown[kind]}"


def _both(name: Name, level: Level) -> Name:
    notes = tuple(dict.fromkeys([*name.notes, *level.notes]))
    return Name(name.site, min(name.confidence, round(level.confidence, 3)), notes)


def _tidy(kind: NDArray[np.uint8], bone: Mask, options: NetworkOptions) -> NDArray[np.uint8]:
    """Islands of one kind within another take its name."""
    marked = np.where(bone, kind + 1, 0).astype(np.uint8)
    pieces = cc3d.connected_components(marked, connectivity=26)
    small = np.bincount(pieces.ravel()) < options.island
    small[0] = False
    islands = small[pieces]
    wide = bone & ~islands
    if not islands.any() or not wide.any():
        return kind
    away, nearest = ndimage.distance_transform_edt(~wide, return_indices=True)
    moved = islands & (away < 2)
    tidied = kind.copy()
    tidied[moved] = kind[tuple(axis[moved] for axis in nearest)]
    return tidied


def _marks(seen: Seen, bone: Mask, row: Sequence[Vertebra], near: list[Rib], options: NetworkOptions) -> Marks:
    if not row:
        return Marks()
    low, high = row[0].cells[:, 0].min(), row[-1].cells[:, 0].max()
    sacrum = np.flatnonzero((bone & (seen.kind == KIND_OF["sacrum"])).sum(axis=(1, 2)) > options.island / 4)
    skull = np.flatnonzero((bone & (seen.kind == KIND_OF["skull"])).sum(axis=(1, 2)) > options.island / 4)
    return Marks(
        bearing(list(row), near, options.pieces),
        bool(sacrum.size) and bool(sacrum.max() >= low - options.adjoining),
        bool(skull.size) and bool(skull.min() <= high + options.adjoining),
    )


def _rib_level(rib: Rib, row: Sequence[Vertebra], count: Count, options: NetworkOptions) -> Level:
    """The rib's number in place of a vertebra, as sure as the vertebra of that level and the rib itself allow."""
    number = round(rib.level) + count.shift - FIRST_RIB + 1
    own = float(np.exp(-max(rib.spread, abs(rib.level - round(rib.level)))))
    near = [level for vertebra, level in zip(row, count.levels, strict=True) if abs(vertebra.level - rib.level) < 2]
    trust = min((level.confidence for level in near), default=1.0) * own * options.rib_trust
    notes = tuple(dict.fromkeys(note for level in near for note in level.notes))
    if not 1 <= number <= 12 or any(level.vertebra is None for level in near):
        return Level(None, trust, notes or ("level uncertain",))
    return Level(str(number), trust, notes)


def _plain(named: _Named, seen: Seen, bone: Mask) -> None:
    """Bones whose kind is their name; others, and vertebrae and ribs too small to be told, piece by piece."""
    left = bone & (named.cells == 0)
    for number, kind in enumerate(KINDS):
        where = left & (seen.kind == number)
        if not where.any():
            continue
        if kind in (VERTEBRA, BONE) or kind.startswith("rib_"):
            pieces = cc3d.connected_components(where, connectivity=26)
            for piece in range(1, int(pieces.max()) + 1):
                cells = np.argwhere(pieces == piece)
                reason = "not named by the network" if kind == BONE else "too small to be told"
                named.add(cells, None, kind, Level(None, _sure(seen, cells), (reason,)))
        else:
            cells = np.argwhere(where)
            named.add(cells, kind, kind, Level(None, _sure(seen, cells)))


def _sure(seen: Seen, cells: NDArray[np.intp]) -> float:
    return float(seen.sure[tuple(cells.T)].mean()) / 255
