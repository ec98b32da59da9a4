"""Where each bone of one date lies on another: a rigid motion per bone, from the surfaces of its masks.

Bones move against each other between two scans, so one motion for the whole body is not enough; within a bone nothing
moves. Surfaces of the earlier date are laid onto the distance map of the later one (Levenberg-Marquardt on signed
distances, Fitzgibbon 2003, Image Vis Comput 21:1145). What surfaces leave open, such as sliding along a shaft that the
field cuts, is held near the motion of all bones together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.measure.bone_motion import Alignment, BoneMotion, Floats, Rigid

_KEPT = 15  # one in so many points of a surface tells which bone is nearest


@dataclass(frozen=True)
class AlignmentOptions:
    """Choices of the alignment (engineering choices, no published source).

    Args:
        points: of a bone's surface that are used.
        step_mm: of the distance maps, which are kept for all bones at once.
        reach_mm: how far a bone may be from where it is looked for.
        freedom_mm, freedom_deg: how far a bone usually moves against the others, standard deviation.
        loose_mm: surfaces further apart than this hardly count (soft L1).
        independent: number of points that count as independent.
        poor_mm: a median distance of the surfaces above this is no alignment; the motion of the nearest bone is taken
            then.
    """

    points: int = 1500
    step_mm: float = 2.0
    reach_mm: float = 30.0
    freedom_mm: float = 15.0
    freedom_deg: float = 10.0
    loose_mm: float = 2.0
    independent: int = 60
    poor_mm: float = 2.5


@dataclass(frozen=True, eq=False)
class _Surface:
    """Points of a bone's surface at one date, and the signed distance to its surface at the other."""

    points: Floats
    distance: NDArray[np.float32]
    grid: Grid
    field: Grid

    def residuals(self, places: Floats) -> Floats:
        """Signed distances, mm; 0 for places that the other date's field does not hold."""
        index = np.moveaxis(self.grid.to_index(places), -1, 0)
        found = ndimage.map_coordinates(self.distance, index, order=1, mode="nearest", output=float)
        return np.asarray(np.where(_within(self.field, places), found, 0.0))


def align(
    earlier: Mapping[str, Part], later: Mapping[str, Part], grids: tuple[Grid, Grid],
    options: AlignmentOptions = AlignmentOptions(),
) -> Alignment | None:  # fmt: skip
    """How the bones that both dates hold moved; None where they share none.

    Args:
        earlier, later: masks of bones by id, each on the grid of its date.
        grids: of both dates.
        options: see `AlignmentOptions`.
    """
    shared = [site for site in earlier if site in later]
    surfaces = {site: _surface(earlier[site], later[site], grids, options) for site in shared}
    surfaces = {site: surface for site, surface in surfaces.items() if len(surface.points)}
    if not surfaces:
        return None
    start = np.median([_shift(earlier[site], later[site], grids) for site in surfaces], axis=0)
    together = _fit(list(surfaces.values()), Rigid.of(np.eye(3), start), options, held=False)
    bones = {site: _of_bone(site, surface, together, options) for site, surface in surfaces.items()}
    points = {site: surfaces[site].points[::_KEPT] for site, motion in bones.items() if motion.aligned}
    made = Alignment(together, bones, points)
    lost = {site: made.near(surfaces[site].points.mean(axis=0)) for site, motion in bones.items() if not motion.aligned}
    return Alignment(together, bones | {s: replace(bones[s], rigid=rigid) for s, rigid in lost.items()}, points)


def _of_bone(site: str, surface: _Surface, together: Rigid, options: AlignmentOptions) -> BoneMotion:
    found = _fit([surface], together, options, held=True)
    places = found.move(surface.points)
    inside = _within(surface.field, places)
    middle = surface.points.mean(axis=0)
    off = float(np.linalg.norm(found.move(middle) - together.move(middle)))
    if np.count_nonzero(inside) < options.independent:
        return BoneMotion(site, together, None, False, 0.0)
    residual = float(np.median(np.abs(surface.residuals(places)[inside])))
    aligned = residual <= options.poor_mm
    return BoneMotion(site, found if aligned else together, residual, aligned, off if aligned else 0.0)


def _fit(surfaces: Sequence[_Surface], start: Rigid, options: AlignmentOptions, held: bool) -> Rigid:
    """The motion that brings the surfaces together, turned about their middle; ``held`` near where it starts."""
    points = np.concatenate([surface.points for surface in surfaces])
    ends = np.cumsum([len(surface.points) for surface in surfaces])[:-1]
    middle = start.move(points.mean(axis=0))
    moved = start.move(points) - middle
    weight = np.sqrt(options.independent / len(points)) / options.loose_mm
    freedom = np.array([np.radians(options.freedom_deg)] * 3 + [options.freedom_mm] * 3)

    def misfit(change: Floats) -> Floats:
        places = np.split(moved @ Rotation.from_rotvec(change[:3]).as_matrix().T + middle + change[3:], ends)
        apart = np.concatenate([s.residuals(p) for s, p in zip(surfaces, places, strict=True)])
        # Soft L1 by hand, so that what holds the motion is not softened too.
        soft = np.sign(apart) * np.sqrt(2 * (np.sqrt(1 + (apart / options.loose_mm) ** 2) - 1)) * options.loose_mm
        return np.concatenate([weight * soft, change / freedom if held else []])

    change = least_squares(misfit, np.zeros(6), x_scale=np.array([0.05] * 3 + [3.0] * 3), diff_step=1e-4).x
    turn = Rotation.from_rotvec(change[:3]).as_matrix()
    first = np.asarray(start.matrix)
    shift = turn @ (first[:3, 3] - middle) + middle + change[3:]
    return Rigid.of(turn @ first[:3, :3], shift)


def _surface(earlier: Part, later: Part, grids: tuple[Grid, Grid], options: AlignmentOptions) -> _Surface:
    points = _points(earlier, grids[0], options)
    grid = grids[1]
    step = _step(later, grid, options)
    matrix = grid.matrix.copy()
    matrix[:3, :3] *= step
    margin = [int(np.ceil(options.reach_mm / length)) for length in np.linalg.norm(matrix[:3, :3], axis=0)]
    mask = np.pad(_thinned(later, step), [(n, n) for n in margin])
    matrix[:3, 3] = grid.to_position(np.asarray(later.offset) - np.multiply(margin, step))
    own = Grid.from_matrix(mask.shape, matrix)
    outside, inside = (edt.edt(m, anisotropy=own.spacing, black_border=False) for m in (~mask, mask))
    return _Surface(points, np.asarray(outside - inside, dtype=np.float32), own, grid)


def _step(part: Part, grid: Grid, options: AlignmentOptions) -> list[int]:
    """Voxels from one to the next of the distance map; every one of a bone that would else fall between them."""
    coarse = [max(1, int(options.step_mm / spacing)) for spacing in grid.spacing]
    return coarse if _thinned(part, coarse).any() else [1] * len(coarse)


def _thinned(part: Part, step: Sequence[int]) -> NDArray[np.bool_]:
    return part.mask[tuple(slice(None, None, n) for n in step)]


def _points(part: Part, grid: Grid, options: AlignmentOptions) -> Floats:
    """Middles of the faces between bone and what is around it, none where the field cuts the bone; always the same."""
    padded = np.pad(part.mask, 1)
    faces = [np.argwhere(np.diff(padded, axis=axis)) + 0.5 * np.eye(3)[axis] for axis in range(3)]
    index = np.concatenate(faces) - 1 + np.asarray(part.offset)
    kept = index[((index >= 0) & (index <= np.asarray(grid.shape) - 1)).all(axis=1)]
    step = max(1, len(kept) // options.points)
    return grid.to_position(kept[::step])


def _shift(earlier: Part, later: Part, grids: tuple[Grid, Grid]) -> Floats:
    before, after = (grid.to_position(part.centroid()) for grid, part in zip(grids, (earlier, later), strict=True))
    return np.asarray(after - before)


def _within(field: Grid, places: Floats) -> NDArray[np.bool_]:
    index = field.to_index(places)
    return np.asarray(((index >= 0) & (index <= np.asarray(field.shape) - 1)).all(axis=-1))
