"""Sacrum, hip bones and proximal femora: found from the end of the spine, parted at their joints."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.anatomy import SIDES, Side
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_spine import STEP_MM, SpineLine
from osteoscope.find.ct_zones import Piece, Scene

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PelvisOptions:
    """Choices of the pelvis search; sizes in mm.

    Args:
        ala_mm: (from, to) distance beside the canal where the wing of the sacrum lies; no other vertebra is bone there.
        ala_share: bone in that place on both sides, as a share, from which it is sacrum.
        ala_gap_mm: a shorter gap within such a run is none.
        ala_least_mm: length of the longest such run along the spine; a first rib is shorter.
        beyond_mm: the spine is followed this far below the end of the canal.
        snap_mm: the disc above S1 is sought this far (below, above) the top of the run.
        head_mm: (least, greatest) radius of a femoral head.
        head_side_mm: (least, greatest) distance of its centre from the midline.
        head_below_mm: its centre lies at least this far below the top of the sacrum.
        sacrum_mm: half width of the sure middle of the sacrum, and its greatest length.
        sacrum_forward_mm: (from, to) before the line of the canal, where that middle lies.
        wing_mm: half width within which the wings are sacrum, this far below its top; the ilium is farther to the side,
            or behind the canal.
        hip_side_mm: bone farther to the side than this, and less than ``hip_forward_mm`` before the canal, seeds a
            hip bone.
        crest_mm: the iliac crest ends this far above the top of the sacrum.
        hip_ml: smallest piece that counts as hip bone.
    """

    ala_mm: tuple[float, float] = (30.0, 42.0)
    ala_share: float = 0.35
    ala_gap_mm: float = 7.0
    ala_least_mm: float = 12.0
    beyond_mm: float = 50.0
    snap_mm: tuple[float, float] = (10.0, 14.0)
    head_mm: tuple[float, float] = (12.0, 30.0)
    head_side_mm: tuple[float, float] = (45.0, 140.0)
    head_below_mm: float = 40.0
    sacrum_mm: tuple[float, float] = (12.0, 110.0)
    sacrum_forward_mm: tuple[float, float] = (-45.0, 45.0)
    wing_mm: tuple[float, float] = (30.0, 65.0)
    hip_side_mm: float = 60.0
    hip_forward_mm: float = 110.0
    crest_mm: float = 70.0
    hip_ml: float = 25.0


@dataclass(frozen=True)
class Ball:
    """A femoral or humeral head: centre voxel (z, y, x) and radius in mm."""

    side: Side
    centre: tuple[int, int, int]
    radius: float


def sacrum_top(line: SpineLine, bones: BoneMask, discs: Discs, options: PelvisOptions = PelvisOptions()) -> int | None:
    """Place on the spine line of the disc above S1, or None where no sacrum shows."""
    extra = round(options.beyond_mm / STEP_MM)
    line = line.extended(options.beyond_mm)
    ahead = line.wall[:, None] + line.depth[:, None] * np.linspace(0.1, 0.6, 5)
    bone = bones.bone.astype(np.float32)
    reach = np.arange(options.ala_mm[0], options.ala_mm[1] + 1, 4.0)
    wings = [line.sample(bone, bones.frame.step, ahead, sign * reach).mean(axis=1) for sign in (-1.0, 1.0)]
    share = ndimage.uniform_filter1d(np.mean(wings, axis=0), 5, mode="nearest")
    wide = share > options.ala_share
    runs, _ = ndimage.label(wide | ndimage.binary_closing(wide, np.ones(round(options.ala_gap_mm / STEP_MM))))
    lengths = np.bincount(runs)[1:]
    if not lengths.size or lengths.max() * STEP_MM < options.ala_least_mm:
        return None
    where = np.flatnonzero(runs == 1 + lengths.argmax())
    return _snapped(int(where[-1]) - extra, discs, options)


def _snapped(top: int, discs: Discs, options: PelvisOptions) -> int:
    below, above = (round(mm / STEP_MM) for mm in options.snap_mm)
    near = discs.places[(discs.places >= top - below) & (discs.places <= top + above)]
    return int(near[np.argmin(np.abs(near - top))]) if len(near) else top


def femoral_heads(bones: BoneMask, midline: float, top: float, options: PelvisOptions = PelvisOptions()) -> list[Ball]:
    """The thickest ball of bone on each side below the sacrum; ``midline`` is x, ``top`` is z, in voxels."""
    step = bones.frame.step
    depth = edt.edt(bones.bone | bones.metal, anisotropy=(step,) * 3, black_border=False)
    highest = round(top - options.head_below_mm / step)
    balls = []
    for side, sign in zip(SIDES, (-1, 1), strict=True):
        offset = (np.arange(depth.shape[2]) - midline) * step * sign
        columns = np.flatnonzero((offset >= options.head_side_mm[0]) & (offset <= options.head_side_mm[1]))
        if highest < 1 or not len(columns):
            continue
        region = depth[:highest, :, columns[0] : columns[-1] + 1]
        z, y, x = np.unravel_index(int(np.argmax(region)), region.shape)
        radius = float(region[z, y, x])
        centre = (int(z), int(y), int(x + columns[0]))
        if options.head_mm[0] <= radius <= options.head_mm[1] and centre[0] * step > 0.2 * radius:
            balls.append(Ball(side, centre, radius))
    return balls


def pelvis_seeds(
    scene: Scene, top: int, options: PelvisOptions = PelvisOptions()
) -> list[tuple[str, Side | None, Mask]]:
    """Sure places of sacrum, hip bones and femora: (kind, side, rows of the scene)."""
    around = scene.around
    z, _, x = scene.line.place(top) / scene.bones.frame.step
    heads = femoral_heads(scene.bones, float(x), float(z), options)
    half, length = options.sacrum_mm
    middle = (np.abs(around.side) < half) & (around.along < top - 4) & (around.along > top - length)
    middle &= (around.forward > options.sacrum_forward_mm[0]) & (around.forward < options.sacrum_forward_mm[1])
    wide, low = options.wing_mm
    wings = (np.abs(around.side) < wide) & (around.along < top - 6) & (around.along > top - low)
    wings &= (around.forward > -5) & (around.forward < options.sacrum_forward_mm[1])
    seeds: list[tuple[str, Side | None, Mask]] = [("sacrum", None, middle | wings)]
    for side, sign in zip(SIDES, (-1, 1), strict=True):
        head = next((ball for ball in heads if ball.side == side), None)
        femur = _femur(scene, head, sign)
        wing = (sign * around.side > options.hip_side_mm) & (around.along < top + options.crest_mm)
        wing &= (around.forward < options.hip_forward_mm) & ~femur
        if head is not None:
            wing &= scene.around.voxels[:, 0] > head.centre[0] + (head.radius + 6.0) / scene.bones.frame.step
        hip = _largest(scene, wing, options)
        seeds += [("hip", side, hip | _socket(scene, head, sign) if hip.any() else hip), ("femur", side, femur)]
    return seeds


def _femur(scene: Scene, head: Ball | None, sign: int) -> Mask:
    """The inner ball of the head, and what lies outside and below of it."""
    if head is None:
        return np.zeros(len(scene.core), dtype=bool)
    offset = (scene.around.voxels - np.array(head.centre)) * scene.bones.frame.step
    distance = np.linalg.norm(offset, axis=1)
    outward = sign * offset[:, 2]
    return np.asarray((distance < 0.75 * head.radius) | ((outward > head.radius + 8.0) & (offset[:, 0] < head.radius)))


def _socket(scene: Scene, head: Ball | None, sign: int) -> Mask:
    """Roof and inner wall of the socket: beyond the head, above or inward of it."""
    if head is None:
        return np.zeros(len(scene.core), dtype=bool)
    offset = (scene.around.voxels - np.array(head.centre)) * scene.bones.frame.step
    distance, outward, up = np.linalg.norm(offset, axis=1), sign * offset[:, 2], offset[:, 0]
    around = (distance > 1.15 * head.radius + 2.0) & (distance < 2.0 * head.radius) & (up > -0.5 * head.radius)
    return np.asarray(around & ((outward < 0) | ((up > 0.6 * head.radius) & (outward < head.radius))))


def _largest(scene: Scene, rows: Mask, options: PelvisOptions) -> Mask:
    """Rows of the largest connected piece among ``rows``, none where it is too small."""
    pieces = cc3d.connected_components(scene.mask(rows), connectivity=26)
    of_row = pieces[tuple(scene.around.voxels.T)]
    sizes = np.bincount(of_row)
    sizes[0] = 0
    if sizes.max() * scene.bones.frame.cell_ml < options.hip_ml:
        return np.zeros(len(rows), dtype=bool)
    return np.asarray(of_row == int(np.argmax(sizes)))


def in_pelvis(piece: Piece, top: float, options: PelvisOptions = PelvisOptions()) -> bool:
    """Whether a piece lies where sacrum, hip bones and femora are; hands beside them do not."""
    low, _ = options.head_side_mm
    inside = piece.forward < options.hip_forward_mm and abs(piece.side) < 2 * options.hip_side_mm + low
    return inside and piece.along[1] < top
