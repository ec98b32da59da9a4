"""The same simulated body on a later date: in another pose, with lesions that grew, shrank, went, healed or came.

The first date's picture is edited and then moved: what differs besides is new noise alone, so that every change is
known exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from osteoscope.domain.finding import Finding, FindingKind, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite, StudyRecord
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct import CtSimulation

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_AIR, _NOISE_HU = -1000.0, 8.0


@dataclass(frozen=True)
class Pose:
    """How the body lies on the second date.

    Args:
        turn_deg: about x, y, z through the middle of the field.
        shift_mm: along x, y, z.
        bend_deg: how far what lies above the middle is flexed further, evenly over ``bend_over_mm``.
    """

    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    bend_deg: float = 0.0
    bend_over_mm: float = 25.0


@dataclass(frozen=True)
class Change:
    """What becomes of a lesion.

    Args:
        grow_mm: how far its surface moves outwards.
        hu: added inside.
        gone: filled with the marrow of its bone.
        kind: its type from then on, None for as before.
    """

    grow_mm: float = 0.0
    hu: float = 0.0
    gone: bool = False
    kind: FindingKind | None = None


@dataclass(frozen=True)
class FollowUp:
    """What differs on the second date.

    Args:
        pose: of the body.
        changes: by id of the first date's finding.
        fresh: new lytic balls: (bone, diameter in mm).
        date: ISO date.
    """

    pose: Pose = field(default_factory=Pose)
    changes: Mapping[str, Change] = field(default_factory=dict)
    fresh: tuple[tuple[str, float], ...] = ()
    date: str = "2000-06-01"


def follow_up(first: CtSimulation, what: FollowUp, seed: int) -> CtSimulation:
    """The second date of a simulated CT.

    Raises:
        InvalidValueError: a change of a finding that is not there, or a new lesion in a bone that is not.
    """
    rng = np.random.default_rng(seed)
    image = first.study.images["ct"]
    hu = np.array(image.values, dtype=np.float32)
    bones = {m.site: m.region.parts[0].full(image.grid.shape) for m in first.mapped if m.region is not None}
    masks = _edited(hu, first, what, (bones, image.grid, rng))
    places = sources(image.grid, what.pose)
    index = image.grid.to_index(places).transpose(3, 0, 1, 2)
    moved = ndimage.map_coordinates(hu, index, order=1, mode="constant", cval=_AIR)
    moved += rng.normal(0, _NOISE_HU, moved.shape)
    values = np.clip(np.rint(moved), -1024, 3071).astype(np.int16)
    study = replace(
        first.study, uid=f"{first.study.uid}.2", date=what.date, images={"ct": Image(image.grid, values, "HU")}
    )
    mapped = tuple(MappedSite(site, region) for site, mask in bones.items() if (region := _moved(mask, index)))
    findings = []
    for finding, mask in masks:
        region = _moved(mask, index)
        if region is not None:
            centre = Point.centre_of(region.parts[0], image.grid)
            findings.append(replace(finding, region=region, centre=centre, measures=()))
    reading = replace(
        first.reading, study=StudyRecord.of(study), findings=tuple(findings), sites=(), measures=(), set_aside=()
    )
    return CtSimulation(study, reading, mapped)


def _edited(
    hu: NDArray[np.float32], first: CtSimulation, what: FollowUp,
    ground: tuple[Mapping[str, Mask], Grid, np.random.Generator],
) -> list[tuple[Finding, Mask]]:  # fmt: skip
    """Paint the changes; the lesions that are then there, on the first date's grid."""
    bones, grid, rng = ground
    unknown = set(what.changes) - {f.id for f in first.reading.findings} | {s for s, _ in what.fresh} - set(bones)
    if unknown:
        raise InvalidValueError(
            "simulate a second date", f"no {sorted(unknown)}", "Name findings and bones of the first"
        )
    made = []
    lesions = np.any([f.region.parts[0].full(grid.shape) for f in first.reading.findings] or [hu < -5000], axis=0)
    for finding in first.reading.findings:
        change = what.changes.get(finding.id, Change())
        before = finding.region.parts[0].full(grid.shape)
        marrow = _marrow(hu, bones[finding.site] & ~lesions)
        now = before & False if change.gone else _grown(before, change.grow_mm, grid)
        inside = float(hu[before].mean())
        hu[before & ~now] = marrow + rng.normal(0, 20, np.count_nonzero(before & ~now))
        hu[now & ~before] = inside + rng.normal(0, 10, np.count_nonzero(now & ~before))
        hu[now] += change.hu
        if now.any():
            made.append((replace(finding, kind=change.kind or finding.kind), now))
    for number, (site, diameter) in enumerate(what.fresh, 1):
        ball = _ball(bones[site] & ~lesions, diameter, grid)
        hu[ball] = 50 + rng.normal(0, 10, np.count_nonzero(ball))
        part = Part.from_mask("ct", ball)
        centre = Point.centre_of(part, grid)
        made.append((Finding(f"fresh-{number}", site, "lytic", 1.0, Region((part,)), centre), ball))
    return made


def _marrow(hu: NDArray[np.float32], bone: Mask) -> float:
    inner = ndimage.binary_erosion(bone, iterations=2)
    return float(np.median(hu[inner if inner.any() else bone]))


def _grown(mask: Mask, by_mm: float, grid: Grid) -> Mask:
    away = ndimage.distance_transform_edt(~mask, sampling=grid.spacing)
    deep = ndimage.distance_transform_edt(mask, sampling=grid.spacing)
    return np.asarray(away - deep < by_mm if by_mm else mask)


def _ball(bone: Mask, diameter: float, grid: Grid) -> Mask:
    """A ball about the deepest place of a bone, cut by its surface."""
    deep = ndimage.distance_transform_edt(bone, sampling=grid.spacing)
    centre = np.unravel_index(int(deep.argmax()), bone.shape)
    lines = [(np.arange(n) - c) * s for n, c, s in zip(bone.shape, centre, grid.spacing, strict=True)]
    z, y, x = np.meshgrid(*lines, indexing="ij", sparse=True)
    return np.asarray(bone & (z**2 + y**2 + x**2 < (diameter / 2) ** 2))


def sources(grid: Grid, pose: Pose) -> Floats:
    """Where on the first date every voxel of the second lies, mm, shape (*grid.shape, 3)."""
    places = grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1))
    middle = grid.to_position((np.asarray(grid.shape) - 1) / 2)
    turn = Rotation.from_euler("xyz", pose.turn_deg, degrees=True).as_matrix()
    straight = (places - middle - pose.shift_mm) @ turn
    # The flexion grows evenly within a zone about the middle; a bone within it is hardly bent.
    angle = np.radians(pose.bend_deg) * np.clip(straight[..., 2] / pose.bend_over_mm + 0.5, 0, 1)
    y, z = straight[..., 1].copy(), straight[..., 2].copy()
    straight[..., 1] = y * np.cos(angle) + z * np.sin(angle)
    straight[..., 2] = z * np.cos(angle) - y * np.sin(angle)
    return np.asarray(straight + middle)


def _moved(mask: Mask, index: Floats) -> Region | None:
    share = ndimage.map_coordinates(mask.astype(np.float32), index, order=1, mode="constant")
    return Region((Part.from_mask("ct", share > 0.5),)) if (share > 0.5).any() else None
