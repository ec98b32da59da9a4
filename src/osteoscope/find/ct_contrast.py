"""Contrast agent in heart, vessels, kidneys, bowel and bladder: even, and without a cortex."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Box, widened
from osteoscope.find.ct_enclosed import ALL_DIRECTIONS, walls_met
from osteoscope.find.ct_frame import Frame

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ContrastOptions:
    """Choices that tell contrast agent from bone; design choices.

    Bone is brightest at its surface (cortex) and uneven within; a vessel or organ is brightest and even in its
    middle. A dense metastasis is even too, but lies within bone, so bone meets it in most directions.

    Args:
        depth_mm: bright regions thicker than twice this are examined.
        evenness: a core is even where its local deviation stays below this many times that of soft tissue.
        least_ml: smallest even core that counts.
        shell_mm: voxels of the bright region less deep than this are its surface.
        cortex: (mm, factor) pairs; a core has a cortex where the upper quartile of HU of the surface within so far of
            it exceeds its median by the factor.
        reach_mm: walls are sought twice this far around a core.
        walls: of 26 directions; a core that meets other bone in more is a lesion, not contrast agent.
        spread: agent reaches from its core as far as HU stay within this share of the core's.
        rim_mm: blurred edge that belongs to the agent.
        lung_hu: a thin piece with mostly this or less around is a lung vessel.
        bone: mean chance of bone, 0..1, from which what looks like agent is bone all the same: bodies of vertebrae in
            slices of 5 mm are as even, and show as little cortex. On simulated scans 0.90 to 0.96 in bone, at most
            0.61 in agent.
    """

    depth_mm: float = 4.5
    evenness: float = 2.0
    least_ml: float = 1.0
    shell_mm: float = 3.5
    cortex: tuple[tuple[float, float], ...] = ((5.5, 1.05), (15.0, 1.12))
    reach_mm: float = 15.0
    walls: float = 13.0
    spread: float = 0.3
    rim_mm: float = 3.0
    lung_hu: int = -500
    bone: float = 0.75


def contrast_mask(
    frame: Frame,
    hu: NDArray[np.int16],
    dense: Mask,
    options: ContrastOptions = ContrastOptions(),
    chance: NDArray[np.uint8] | None = None,
) -> Mask:
    """The part of ``dense`` that is contrast agent and not bone.

    Args:
        frame: the working frame.
        hu: smoothed, of its shape [z, y, x].
        dense: all that is bright.
        options: see `ContrastOptions`.
        chance: of bone in 1/255, by a network; None: none was asked.
    """
    depth = np.asarray(edt.edt(dense, anisotropy=(frame.step,) * 3, black_border=False))
    deviation = _local_deviation(hu)
    soft = (hu > 0) & (hu < 120)
    if not soft.any():
        return np.zeros_like(dense)
    limit = options.evenness * float(np.percentile(deviation[soft], 25))
    cores = cc3d.connected_components((depth > options.depth_mm) & (deviation < limit), connectivity=6)
    agent = np.zeros_like(dense)
    for number, box in enumerate(ndimage.find_objects(cores), start=1):
        core = _Core(cores, number, widened(box, frame.voxels(options.reach_mm), dense.shape))
        if core.mask.sum() * frame.cell_ml >= options.least_ml and _is_agent(core, frame, (hu, dense, depth), options):
            reached = _spread(core, frame, hu, dense, options)
            if chance is None or chance[core.box][reached].mean() < 255 * options.bone:
                agent[core.box] |= reached
    return agent | _lung_vessels(frame, dense & ~agent, options)


class _Core:
    def __init__(self, cores: NDArray[np.integer], number: int, box: Box) -> None:
        self.box = box
        self.mask: Mask = cores[box] == number


def _is_agent(
    core: _Core,
    frame: Frame,
    fields: tuple[NDArray[np.int16], Mask, NDArray[np.float32]],
    options: ContrastOptions,
) -> bool:
    hu, dense, depth = fields[0][core.box], fields[1][core.box], fields[2][core.box]
    away = edt.edt(~core.mask, anisotropy=(frame.step,) * 3)
    middle = float(np.median(hu[core.mask]))
    for reach, factor in options.cortex:
        shell = hu[dense & (depth < options.shell_mm) & (away < reach)]
        if not shell.size or np.percentile(shell, 75) > factor * middle:
            return False
    others = dense & (away > 2 * options.depth_mm)
    met = walls_met(others, frame.voxels(2 * options.reach_mm), ALL_DIRECTIONS)
    return bool(met[core.mask].mean() < options.walls)


def _spread(core: _Core, frame: Frame, hu: NDArray[np.int16], dense: Mask, options: ContrastOptions) -> Mask:
    middle = float(np.median(hu[core.box][core.mask]))
    alike = dense[core.box] & (np.abs(hu[core.box] - middle) < options.spread * middle)
    reached = ndimage.binary_propagation(core.mask, mask=ndimage.binary_opening(alike) | core.mask)
    return np.asarray(ndimage.binary_dilation(reached, iterations=frame.voxels(options.rim_mm)) & dense[core.box])


def _lung_vessels(frame: Frame, dense: Mask, options: ContrastOptions) -> Mask:
    """Pieces mostly surrounded by lung."""
    pieces = cc3d.connected_components(dense, connectivity=26)
    count = int(pieces.max()) + 1
    ring = ndimage.grey_dilation(pieces, size=2 * frame.voxels(4.0) + 1)
    ring[dense] = 0
    airy = np.bincount(ring[frame.hu < options.lung_hu], minlength=count)
    total = np.maximum(np.bincount(ring.ravel(), minlength=count), 1)
    lung = airy / total > 0.5
    lung[0] = False
    return np.asarray(lung[pieces])


def _local_deviation(hu: NDArray[np.int16], size: int = 5) -> NDArray[np.float32]:
    """Standard deviation within a cube of ``size`` voxels, HU."""
    values = np.clip(hu, -200, 2000).astype(np.float32)
    mean = ndimage.uniform_filter(values, size)
    square = ndimage.uniform_filter(values * values, size)
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)))
