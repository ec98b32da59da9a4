"""Where bone ends, by a network that says of each voxel whether it is bone; what a tumour has eaten is.

Geometry (`osteoscope.find.ct_bones`) says where to look and how far bone may reach beyond: a threshold takes calcified
walls of vessels beside bone for bone, makes thin bone too thick, and leaves out what is as dull as soft tissue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_enclosed import ALL_DIRECTIONS, walls_met
from osteoscope.find.ct_frame import Frame, working_frame
from osteoscope.find.ct_lesion_windows import Array, Mask, over_windows, reach_mm, step_of
from osteoscope.find.model import Model, shipped

MODEL = "ct_bone_outline"
# Chance from which there is bone, in 1/255. That of the network is a little below half: lost bone is worse than extra
# bone, and automatic labels of real scans take more of a surface for bone than simulated truth does. Large pixels
# average thin bone with what lies around it.
_BONE, _COARSE_BONE = 102, 51


@dataclass(frozen=True, eq=False)
class Outline:
    """The chance of bone of each voxel.

    Args:
        frame: a part of the working frame of the network.
        chance: uint8, of the shape of the frame, in 1/255; 0 where nothing was looked at.
        least: there is bone from this chance on.
    """

    frame: Frame
    chance: NDArray[np.uint8]
    least: int = _BONE

    def bone_on(self, grid: Grid) -> Mask:
        """Where there is bone, in the voxels of another grid: by the chance between voxels."""
        return np.asarray(Frame(self.frame.hu, self.frame.grid, grid).to_source(self.chance, linear=True) >= self.least)


@dataclass(frozen=True)
class OutlineOptions:
    """Choices of the outline.

    Args:
        coarse_mm: larger pixels are bone from a smaller chance on.
        walls: what the network calls soft tissue stays bone where it meets bone in so many of 26 directions; a vessel
            before the spine has bone on one side alone.
        reach_mm: within this distance.
    """

    coarse_mm: float = 2.0
    walls: int = 13
    reach_mm: float = 24.0


def outlined(image: Image, place: Mask, bones: BoneMask, options: OutlineOptions = OutlineOptions()) -> Outline:
    """Where the bones of a CT end.

    Args:
        image: the CT.
        place: how far bone may reach, of the shape of ``bones``.
        bones: by geometry.
        options: see `OutlineOptions`.

    Raises:
        ModelError: the weights are missing or not those of their card.
    """
    is_coarse = sorted(image.grid.spacing)[1] > options.coarse_mm
    edge = outline(image, place, bones.frame)
    return with_eaten(replace(edge, least=_COARSE_BONE if is_coarse else _BONE), bones, options)


def outline(image: Image, place: Mask, frame: Frame, model: Model | None = None) -> Outline:
    """Look wherever there may be bone; memory is a few volumes, time grows with the bone.

    Args:
        image: the CT.
        place: where there may be bone, of the shape of ``frame``.
        frame: a working frame of the CT.
        model: with the settings of `osteoscope.find.ct_lesion_windows.look`; default: the one that the package ships.

    Raises:
        ModelError: the weights are missing or not those of their card.
    """
    chosen = model or shipped(MODEL)
    whole = working_frame(image, step_of(chosen))
    there = Frame(frame.hu, frame.grid, whole.grid).to_source(place.view(np.uint8), linear=False) > 0
    if not there.any():
        return Outline(whole, np.zeros(whole.hu.shape, dtype=np.uint8))
    box = whole.around(there, reach_mm(chosen))
    part, there = whole.cropped(box), there[box].copy()  # a view would keep all of it
    del whole

    def say(seen: Array) -> Array:
        (logits,) = chosen.run(seen)
        return np.asarray(expit(logits), dtype=np.float32)

    (chance,) = over_windows(part.hu, there, chosen, say, 1)
    chance *= 255
    return Outline(part, np.rint(chance).astype(np.uint8))


def with_eaten(edge: Outline, bones: BoneMask, options: OutlineOptions = OutlineOptions()) -> Outline:
    """An outline with what a tumour has eaten: bone by geometry, in lumps wider than its surface, between bone.

    The surface of bone, which geometry draws too wide, is no lump.
    """
    frame, wall = bones.frame, edge.bone_on(bones.frame.grid)
    lumps = ndimage.binary_opening(bones.bone & ~wall, np.ones((3, 3, 3)))
    if not lumps.any():
        return edge
    lumps &= walls_met(wall, frame.voxels(options.reach_mm), ALL_DIRECTIONS) >= options.walls
    there = Frame(frame.hu, frame.grid, edge.frame.grid).to_source(lumps.view(np.uint8) * 255, linear=True)
    return replace(edge, chance=np.maximum(edge.chance, there))
