"""A femur and a vertebra as CT with a known mask, painted alone and small, with lesions where the test wants them."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.fe.bone import Bone, bone_from
from osteoscope.simulate.ct_canvas import Canvas, PlacedBone
from osteoscope.simulate.ct_femur import Leg, femur_bone

TISSUE_HU, LYTIC_HU = 40.0, 40.0
HIP = (88.0, -35.0, -95.0)


@cache
def _painted(spacing: float) -> tuple[Grid, NDArray[np.float32], PlacedBone]:
    """The upper 260 mm of a left femur (scale 1) in soft tissue, without warp."""
    shape = [int(n / spacing) for n in (300, 110, 140)]
    grid = Grid.axial(shape, (spacing,) * 3, (35, -95, -355))
    canvas = Canvas.on(grid, np.random.default_rng(1), 0.0)
    canvas.hu[:] = TISSUE_HU
    placed = canvas.add(femur_bone(Leg("left", 1.0, HIP, 127.0, 14.0, 8.0), 140.0))
    assert placed is not None
    return grid, canvas.hu, placed


def femur(lesions: dict[str, tuple[tuple[float, float, float], float]] | None = None, spacing: float = 2.0) -> Bone:
    """The left femur with lytic balls: id -> (centre in LPS mm, diameter in mm)."""
    grid, hu, placed = _painted(spacing)
    values = hu.copy()
    whole = np.zeros(grid.shape, bool)
    whole[placed.box] = placed.mask
    places = grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1))
    found = []
    for name, (centre, diameter) in (lesions or {}).items():
        ball = (np.linalg.norm(places - centre, axis=-1) <= diameter / 2) & whole
        values[ball] = LYTIC_HU
        found.append((name, Part.from_mask("ct", ball)))
    image = Image(grid, np.rint(values).astype(np.int16), "HU")
    return bone_from(image, "femur_left", Part.from_mask("ct", whole), found)


def block(values: NDArray[np.float32], lesion: NDArray[np.bool_] | None = None, grid: Grid | None = None) -> Bone:
    """A bone of any HU array, 0 being nothing, with voxels of 1 mm."""
    lesions = {} if lesion is None else {"lesion": lesion}
    place = grid or Grid.axial(values.shape, (1.0, 1.0, 1.0))
    return Bone("vertebra_L3", place, values, values != 0, lesions, np.zeros(values.shape, bool))
