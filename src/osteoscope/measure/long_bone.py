"""How much of a long bone's cortex a lesion takes, along the shaft and around it, and of its width.

Sections are cut across the principal axis of the bone, of a femur across that of what lies below head and trochanters;
of a lesion, what lies in bone counts. A section that the field cuts lengthwise shows too little of the bone to tell a
share by: it widens the interval, and gives the value only where no other holds the lesion. Axial cortical involvement:
van der Linden et al. 2004, J Bone Joint Surg Br 86:566 (above 30 mm a high risk of fracture of the femur; from memory,
docs/background/ct.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.geometry import Grid, widened
from osteoscope.domain.reading import Case
from osteoscope.measure.femur import at_edges, below_trochanters, inward_sign
from osteoscope.measure.place import CUT_BY_FIELD, bone_of, joint_box, part_on_ct, shifted, spread, with_eaten

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
LONG_BONES = ("femur", "tibia", "fibula", "humerus", "radius", "ulna")
_WHOLE_FEMUR = ", axis of the whole bone: too little of the femur in the field for that of the shaft"


@dataclass(frozen=True)
class LongBoneOptions:
    """Choices of the sections.

    Args:
        cortex_mm: bone nearer to the surface than this is cortex at the resolution of a clinical CT.
        elongation: least length over width of what is in the field; below, it has no reliable axis.
        sectors: of a section, all around.
        involved: a sector is involved when the lesion holds this share of its cortex.
    """

    cortex_mm: float = 3.0
    elongation: float = 2.0
    sectors: int = 36
    involved: float = 0.5


@dataclass(frozen=True, eq=False)
class _Shaft:
    """Bone voxels with their place along the axis (mm) and across it (mm, two axes).

    Args:
        cortex: whether they are cortex.
        cut: whether they lie at an edge of the scan that runs along the bone.
        step: thickness of a section, mm.
    """

    along: Floats
    across: Floats
    cortex: Mask
    cut: Mask
    step: float

    def sections(self, lesion: Mask) -> Iterator[Mask]:
        """Sections that hold a lesion, one voxel thick."""
        number = np.floor((self.along - self.along.min()) / self.step)
        for n in np.unique(number[lesion]):
            yield number == n


@dataclass(frozen=True)
class _Share:
    """Of one section; whether the field cuts the bone there, and the lesion too."""

    value: float
    cut: bool
    open: bool


def cortical_involvement(
    case: Case, finding: Finding, options: LongBoneOptions = LongBoneOptions()
) -> tuple[Measure, ...]:
    """axial_cortical_involvement (mm), circumferential_involvement and diameter_share (0..1); boundary +-1 voxel.

    Nothing outside the long bones of the limbs, nor where too little of one is in the field to have an axis.

    Raises:
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    part, image = part_on_ct(case, finding)
    bone = bone_of(case, finding)
    if bone is None or not finding.site.startswith(LONG_BONES):
        return ()
    box = widened(joint_box(bone.box, part.box), 1, image.grid.shape)
    lesion = part.within(box)
    whole = with_eaten(bone.within(box), lesion, image.grid.spacing)
    depth = edt.edt(whole, anisotropy=image.grid.spacing, black_border=False)[whole]
    places = image.grid.to_position(np.argwhere(whole))
    edges = at_edges(box, image.grid.shape)[whole]
    parts = _axis_parts(finding.site, places, depth, np.asarray(edges.any(axis=1)))
    said = next((said for said, part in parts.items() if _long(places[part], options)), None)
    if said is None:
        return ()
    shaft = _shaft(places, parts[said], np.asarray(depth <= options.cortex_mm), edges, image.grid)
    masks = [m[whole] for m in (lesion, *shifted(lesion))]
    within = f"within {options.cortex_mm:g} mm of the surface{said}; boundary +-1 voxel"
    return (
        spread(
            "axial_cortical_involvement", "mm", f"extent along the shaft {within}", [_axial(shaft, m) for m in masks]
        ),
        _greatest(
            "circumferential_involvement",
            f"greatest share of {options.sectors} sectors around the shaft, {within}",
            [
                _shares(shaft, m, m & shaft.cortex, lambda section, m: _around(shaft, section, m, options))
                for m in masks
            ],
        ),
        _greatest(
            "diameter_share",
            f"greatest width over the bone's in one section and direction{said}; boundary +-1 voxel",
            [_shares(shaft, m, m, lambda section, m: _width(shaft, section, m)) for m in masks],
        ),
    )


def _greatest(name: str, method: str, each: Sequence[Sequence[_Share]]) -> Measure:
    """The greatest of the sections of a lesion as drawn, and between those of all its boundaries."""
    seen = [max((share.value for share in shares), default=0.0) for shares in each]
    if not any(share.cut for shares in each for share in shares):
        return spread(name, "1", method, seen)
    whole = [max((share.value for share in shares if not share.cut), default=0.0) for shares in each]
    top = 1.0 if any(share.open for shares in each for share in shares) else max(seen)
    return Measure(name, whole[0] or seen[0], "1", f"{method}; {CUT_BY_FIELD}", (min(whole), top))


def _axis_parts(site: str, places: Floats, depth: Floats, cut: Mask) -> dict[str, Mask]:
    """Voxels that may give the axis, best first, by what the method says of them."""
    whole = np.ones(len(places), dtype=bool)
    if not site.startswith("femur_"):
        return {"": whole}
    below = below_trochanters(places[:, ::-1], depth, cut, inward_sign(site))
    return {_WHOLE_FEMUR: whole} if below is None else {"": below, _WHOLE_FEMUR: whole}


def _long(places: Floats, options: LongBoneOptions) -> bool:
    """Whether voxels lie along a line, far enough to have a reliable axis."""
    if len(places) < 4:
        return False
    width, length = np.sqrt(np.linalg.eigvalsh(np.cov(places.T))[1:].clip(0))
    return bool(length >= options.elongation * width)


def _shaft(places: Floats, part: Mask, cortex: Mask, edges: Mask, grid: Grid) -> _Shaft:
    """A bone along the principal axis of a part of it; ``edges`` as of ``at_edges``, by voxel of the bone."""
    centred = places - places[part].mean(axis=0)
    _, axes = np.linalg.eigh(centred[part].T @ centred[part])
    lengthwise = int(np.argmax(np.abs(axes[:, 2] @ grid.matrix[:3, :3]) / grid.spacing))
    cut = np.asarray(np.delete(edges, lengthwise, axis=1).any(axis=1))
    return _Shaft(centred @ axes[:, 2], centred @ axes[:, :2], cortex, cut, max(grid.spacing))


def _axial(shaft: _Shaft, lesion: Mask) -> float:
    places = shaft.along[lesion & shaft.cortex]
    return float(np.ptp(places)) + shaft.step if places.size else 0.0


def _shares(shaft: _Shaft, lesion: Mask, where: Mask, share: Callable[[Mask, Mask], float]) -> list[_Share]:
    """Of the sections that hold a voxel of ``where``, each with whether an edge of the scan cuts it."""
    return [
        _Share(share(section, lesion), bool(shaft.cut[section].any()), bool((lesion & shaft.cut)[section].any()))
        for section in shaft.sections(where)
    ]


def _around(shaft: _Shaft, section: Mask, lesion: Mask, options: LongBoneOptions) -> float:
    """The share of involved sectors."""
    off = shaft.across[section] - shaft.across[section].mean(axis=0)
    ring = shaft.cortex[section]
    turn = np.arctan2(off[ring, 0], off[ring, 1]) / (2 * np.pi) % 1.0
    sector = np.minimum((turn * options.sectors).astype(int), options.sectors - 1)
    there = np.bincount(sector, minlength=options.sectors)
    taken = np.bincount(sector, lesion[section][ring], minlength=options.sectors)
    return float(np.mean(taken[there > 0] >= options.involved * there[there > 0]))


def _width(shaft: _Shaft, section: Mask, lesion: Mask, directions: int = 18) -> float:
    turn = np.arange(directions) * np.pi / directions
    looks = shaft.across[section] @ np.stack([np.cos(turn), np.sin(turn)])
    narrow, wide = np.ptp(looks[lesion[section]], axis=0), np.ptp(looks, axis=0)
    return float(((narrow + shaft.step) / (wide + shaft.step)).max())
