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
from osteoscope.find.ct_bone_borders import Places
from osteoscope.find.ct_bone_count import CountOptions, count_levels, rib_level
from osteoscope.find.ct_bone_look import Seen, coarse_frame, look
from osteoscope.find.ct_bone_maps import BONE, FINE_MM, KIND_OF, KINDS, MODEL, VERTEBRA
from osteoscope.find.ct_bone_naming import Naming
from osteoscope.find.ct_bone_outline import OutlineOptions, outlined
from osteoscope.find.ct_bone_pieces import PieceOptions, Rib, Vertebra, bearing, ribs, vertebrae
from osteoscope.find.ct_bone_places import Ladder
from osteoscope.find.ct_bone_regions import Sites, voxels_on_source
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_bones_voted import VoteOptions, name_parts
from osteoscope.find.ct_frame import ct_image, working_frame
from osteoscope.find.ct_level_odds import Marks
from osteoscope.find.ct_levels import Level
from osteoscope.find.ct_names import BoneOptions, parted
from osteoscope.find.ct_organs import OrganOptions, organs
from osteoscope.find.ct_parts import Parts
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
        reach: cells beyond the named ones to which their names extend.
        beyond_mm: bone reaches at most so far beyond what geometry takes for it.
        geometry: of the bone and its parts.
        organs: what of it is none.
        vote: on what the parts are.
        outline: where bone ends.
    """

    bone: float = 0.5
    adjoining: int = 2
    rib_trust: float = 0.9
    island: int = 5
    reach: int = 2
    beyond_mm: float = 6.0
    geometry: BoneOptions = field(default_factory=BoneOptions)
    organs: OrganOptions = field(default_factory=OrganOptions)
    vote: VoteOptions = field(default_factory=VoteOptions)
    pieces: PieceOptions = field(default_factory=PieceOptions)
    count: CountOptions = field(default_factory=CountOptions)
    outline: OutlineOptions = field(default_factory=OutlineOptions)


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
    image = ct_image(study)
    coarse = coarse_frame(working_frame(image, FINE_MM))
    seen = look(coarse, model)
    frame = working_frame(image, options.geometry.mask.spacing_mm)
    places = Places.of(frame, coarse.grid, seen.kind.shape)
    bones, parts, _ = parted(frame, options.geometry, places.chance_of_bone(seen))
    bones, parts = _without(organs(bones, seen, places.axes, options.organs), bones, parts)
    if any(part.kind == VERTEBRA for part in parts.parts):
        naming = name_parts(parts, seen, places, options.vote)
    else:
        cells = name_cells(seen, seen.bone_cells(options.bone), options)
        naming = cells.over(_near(cells.voxels, options.reach)[np.ix_(*places.axes)] * (parts.labels > 0))
        name_rest(naming, parts.labels)
    wider = _wider(naming.voxels, bones, options.beyond_mm)
    edge = outlined(image, wider > 0, bones, options.outline)
    return voxels_on_source(bones.frame, wider, naming.names, edge)


def _without(place: Mask, bones: BoneMask, parts: Parts) -> tuple[BoneMask, Parts]:
    """Bone and its parts without the voxels of a place."""
    if not place.any():
        return bones, parts
    labels = np.where(place, 0, parts.labels).astype(np.int32)
    return replace(bones, bone=bones.bone & ~place), replace(parts, labels=labels)


def _wider(sites: Sites, bones: BoneMask, beyond_mm: float) -> Sites:
    """Names that reach beyond the bone of geometry: over its surface, and into dull tissue, but never into metal."""
    closed = bones.metal
    for _ in range(bones.frame.voxels(beyond_mm)):
        sites = np.where(sites > 0, sites, ndimage.grey_dilation(sites, size=3)).astype(np.uint16)
        sites[closed] = 0
        closed = bones.metal | ((sites == 0) & (bones.smooth >= bones.threshold))  # contrast agent
    return sites


def _near(cells: Sites, reach: int) -> Sites:
    """Names that reach a little beyond their cells."""
    away, nearest = ndimage.distance_transform_edt(cells == 0, return_indices=True)
    return np.asarray(np.where(away <= reach, cells[tuple(nearest)], 0), dtype=np.uint16)


def name_rest(naming: Naming, pieces: NDArray[np.int32]) -> None:
    """What has no name yet of each piece of bone becomes "bone_unknown_n"."""
    voxels = np.argwhere((pieces > 0) & (naming.voxels == 0))
    of_piece = pieces[tuple(voxels.T)]
    for piece in np.unique(of_piece):
        naming.add(voxels[of_piece == piece], None, BONE, Level(None, 0.0, ("not seen by the network",)))


def name_cells(seen: Seen, bone: Mask, options: NetworkOptions = NetworkOptions()) -> Naming:
    """The names of cells."""
    seen = replace(seen, kind=_tidy(seen.kind, bone, options))
    row = vertebrae(seen, bone & (seen.kind == KIND_OF[VERTEBRA]), options.pieces)
    by_side = {s: ribs(seen, bone & (seen.kind == KIND_OF[f"rib_{s}"]), options.pieces) for s in SIDES}
    count = count_levels(row, _marks(seen, bone, row, [r for found in by_side.values() for r in found], options))
    named = Naming(bone.shape)
    for vertebra, level in zip(row, count.levels, strict=True):
        named.add(vertebra.cells, level.vertebra, "vertebra", level)
    for side, found in by_side.items():
        for rib in found:
            named.add_rib(rib.cells, side, rib_level(rib, row, count, options.rib_trust))
    kinds = Ladder.of(row).corrected(seen.kind, np.arange(bone.shape[0])[:, None, None])
    _plain(named, replace(seen, kind=kinds), bone)
    return named


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


def _plain(named: Naming, seen: Seen, bone: Mask) -> None:
    """Bones whose kind is their name; others, and vertebrae and ribs too small to be told, piece by piece."""
    left = bone & (named.voxels == 0)
    for number, kind in enumerate(KINDS):
        where = left & (seen.kind == number)
        if not where.any():
            continue
        if kind in (VERTEBRA, BONE) or kind.startswith("rib_"):
            pieces = cc3d.connected_components(where, connectivity=26)
            for piece in range(1, int(pieces.max()) + 1):
                cells = np.argwhere(pieces == piece)
                reason = "not named by the network" if kind == BONE else "too small to be told"
                named.add(cells, None, kind, Level(None, seen.surely(cells), (reason,)))
        else:
            cells = np.argwhere(where)
            named.add(cells, kind, kind, Level(None, seen.surely(cells)))
