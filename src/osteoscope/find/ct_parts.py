"""Bone parted into pieces with a kind each, vertebra, rib, hip ..., still without levels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import cc3d
import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import Side
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_parting import grow_parts
from osteoscope.find.ct_pelvis import PelvisOptions, in_pelvis, pelvis_seeds, sacrum_top
from osteoscope.find.ct_pieces import PieceOptions, Setting, is_vessel, kind_of_piece
from osteoscope.find.ct_spine import SpineLine
from osteoscope.find.ct_zones import Piece, Scene, ZoneOptions, pieces_beside, pieces_of, scene_of

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]
UNPAIRED = frozenset({"sternum", "skull", "mandible", "bone"})


@dataclass(frozen=True)
class PartOptions:
    """Choices of the parting; see the options of each step.

    Args:
        fused_ml: a piece without a kind above this volume is parted at its thinnest places.
        necks_mm: half thicknesses at which it is tried.
        core_ml: smallest thick part that counts.
        margin: share of a vertebra's height next to its discs that does not seed it.
        headroom_mm: a canal that ends farther than this below the top of the scan ends in the skull.
        pedicle_mm: the seed reaches this far behind the back wall, into the pedicles.
    """

    fused_ml: float = 25.0
    necks_mm: tuple[float, ...] = (2.6, 3.2, 4.0, 4.6, 5.2, 6.0)
    core_ml: float = 1.0
    margin: float = 0.15
    headroom_mm: float = 30.0
    pedicle_mm: float = 8.0
    zones: ZoneOptions = field(default_factory=ZoneOptions)
    pelvis: PelvisOptions = field(default_factory=PelvisOptions)
    pieces: PieceOptions = field(default_factory=PieceOptions)


@dataclass(frozen=True)
class Part:
    """One labelled part.

    Args:
        kind: "vertebra", "sacrum", "hip", "femur", "rib", "rib_fragment", "sternum", ... or "bone".
        side: the patient's side, None for unpaired kinds.
        place: of a vertebra its (lower, upper) disc, of a rib where it meets the spine, on the spine line.
    """

    kind: str
    side: Side | None = None
    place: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Parts:
    """Labels over the bone of the working frame; label n is ``parts[n - 1]``.

    Args:
        labels: int32 [z, y, x]; 0 beyond bone.
        parts: what each label is.
        top: place of the disc above the sacrum on the spine line, None where no sacrum shows.
    """

    labels: Labels
    parts: tuple[Part, ...]
    top: int | None = None

    def are(self, kind: str) -> Mask:
        """Where a part of a kind lies."""
        return np.asarray(np.array([False, *(part.kind == kind for part in self.parts)])[self.labels])


class _Seeds:
    """Seeds under construction."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.labels: Labels = np.zeros(shape, dtype=np.int32)
        self.parts: list[Part] = []

    def add(self, voxels: NDArray[np.intp], part: Part) -> None:
        if len(voxels):
            self.parts.append(part)
            self.labels[tuple(voxels.T)] = len(self.parts)


def part_bones(bones: BoneMask, line: SpineLine, discs: Discs, options: PartOptions = PartOptions()) -> Parts:
    """All bone of a scan with a spine, parted by kind."""
    scene = scene_of(bones, line, options.zones)
    top = sacrum_top(line, bones, discs, options.pelvis)
    seeds = _Seeds(bones.bone.shape)
    taken = scene.core.copy()
    if top is not None:
        taken |= _seed_pelvis(seeds, scene, top, options)
    _seed_vertebrae(seeds, scene, _spans(discs, line, top), options)
    setting = Setting(None if top is None else float(top), _head(scene, options))
    bone = bones.bone.copy()
    for piece in pieces_beside(scene, taken, options.zones):
        if is_vessel(piece, _face(line, piece), setting, options.pieces):
            bone[tuple(scene.voxels(piece.rows).T)] = False
        else:
            _seed_piece(seeds, scene, piece, setting, options)
    return _complete(grow_parts(bones.smooth, bone, seeds.labels), bone, seeds.parts, top)


def _face(line: SpineLine, piece: Piece) -> float:
    """Front face of the spine where a piece lies, mm before the canal."""
    return float(line.face[int(np.clip(piece.along[1], 0, line.length - 1))])


def _head(scene: Scene, options: PartOptions) -> float | None:
    """Where the head begins on the spine line, None where the scan ends below it."""
    room = (scene.bones.bone.shape[0] - 1) * scene.bones.frame.step - scene.line.points[-1, 0]
    return float(scene.line.length) if room > options.headroom_mm else None


def _spans(discs: Discs, line: SpineLine, top: int | None) -> list[tuple[float, float]]:
    """(lower, upper) end of each vertebra, those cut by the scan's edge included."""
    cuts = [float(place) for place in discs.places if top is None or place >= top]
    ends = [-np.inf, *cuts, np.inf] if top is None else [float(top), *(c for c in cuts if c > top), np.inf]
    pairs = list(itertools.pairwise(ends))
    return [(low, high) for low, high in pairs if min(high, line.length) - max(low, 0.0) > 5.0]


def _seed_vertebrae(seeds: _Seeds, scene: Scene, spans: list[tuple[float, float]], options: PartOptions) -> None:
    around, line = scene.around, scene.line
    nearest = np.clip(np.rint(around.along).astype(np.intp), 0, line.length - 1)
    front = scene.core & (around.forward > line.wall[nearest] - options.pedicle_mm)
    for low, high in spans:
        margin = options.margin * min(high - low, 40.0)
        rows = front & (around.along > low + margin) & (around.along < high - margin)
        seeds.add(scene.voxels(rows), Part("vertebra", None, (low, high)))


def _seed_pelvis(seeds: _Seeds, scene: Scene, top: int, options: PartOptions) -> Mask:
    taken = np.zeros(len(scene.core), dtype=bool)
    for kind, side, rows in pelvis_seeds(scene, top, options.pelvis):
        seeds.add(scene.voxels(rows), Part(kind, side))
        taken |= rows
    return taken


def _seed_piece(seeds: _Seeds, scene: Scene, piece: Piece, setting: Setting, options: PartOptions) -> None:
    if setting.sacrum is not None and in_pelvis(piece, setting.sacrum, options.pelvis):
        return  # grown from sacrum, hip bone or femur
    kind = kind_of_piece(piece, setting, options.pieces)
    if kind == "process":
        return  # grown from its vertebra
    if kind == "bone" and piece.volume > options.fused_ml:
        halves = _parted(scene, piece, options)
        if len(halves) > 1:
            for half in halves:
                _seed_piece(seeds, scene, half, setting, options)
            return
    place = () if piece.attached is None else (piece.attached,)
    seeds.add(scene.voxels(piece.rows), Part(kind, None if kind in UNPAIRED else piece.hand, place))


def _parted(scene: Scene, piece: Piece, options: PartOptions) -> list[Piece]:
    """The piece parted where it is thinnest, or the piece itself where it has no neck."""
    voxels = scene.voxels(piece.rows)
    low = voxels.min(axis=0)
    box = tuple(slice(a, b + 1) for a, b in zip(low, voxels.max(axis=0), strict=True))
    place = tuple((voxels - low).T)
    whole = np.zeros([s.stop - s.start for s in box], dtype=bool)
    whole[place] = True
    least = max(2, round(options.core_ml / scene.bones.frame.cell_ml))
    for neck in options.necks_mm:
        cores = cc3d.dust((scene.depth[box] > neck) & whole, least, connectivity=26)
        seeds, count = cc3d.connected_components(cores, connectivity=26, return_N=True)
        if count > 1:
            grown = grow_parts(scene.bones.smooth[box], whole, seeds.astype(np.int32))
            return pieces_of(scene, piece.rows, grown[place], options.zones)
    return [piece]


def _complete(grown: Labels, bone: Mask, parts: list[Part], top: int | None) -> Parts:
    """Bone that no seed reached becomes parts of its own."""
    rest = cc3d.connected_components(bone & (grown == 0), connectivity=26)
    labels = np.where(rest > 0, rest.astype(np.int32) + len(parts), grown)
    return Parts(labels, (*parts, *(Part("bone") for _ in range(int(rest.max())))), top)


def unparted(bones: BoneMask) -> Parts:
    """Bone of a scan without a spine: every connected piece is a part of its own."""
    return _complete(np.zeros(bones.bone.shape, dtype=np.int32), bones.bone, [], None)
