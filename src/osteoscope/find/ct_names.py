"""The site map of a CT: every bone voxel belongs to one site, named where geometry allows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part as ImagePart
from osteoscope.domain.finding import Region
from osteoscope.domain.reading import LEVEL_UNCERTAIN, MappedSite
from osteoscope.domain.study import Study
from osteoscope.find.ct_bones import BoneMask, MaskOptions, bone_mask
from osteoscope.find.ct_canal import CanalOptions, find_canal, without_canal
from osteoscope.find.ct_discs import DiscOptions, Discs, disc_signal, find_discs
from osteoscope.find.ct_eaten import EatenOptions, with_eaten_bone
from osteoscope.find.ct_edge import EdgeOptions, trimmed, without_discs
from osteoscope.find.ct_frame import Frame, ct_image, working_frame
from osteoscope.find.ct_levels import Level, LevelOptions, find_anchors, name_levels, rib_levels
from osteoscope.find.ct_parts import Part, PartOptions, Parts, part_bones, unparted
from osteoscope.find.ct_spine import spine_line


@dataclass(frozen=True)
class BoneOptions:
    """Choices of the site map; see the options of each step."""

    mask: MaskOptions = field(default_factory=MaskOptions)
    canal: CanalOptions = field(default_factory=CanalOptions)
    discs: DiscOptions = field(default_factory=DiscOptions)
    eaten: EatenOptions = field(default_factory=EatenOptions)
    edge: EdgeOptions = field(default_factory=EdgeOptions)
    parts: PartOptions = field(default_factory=PartOptions)
    levels: LevelOptions = field(default_factory=LevelOptions)


@dataclass(frozen=True)
class Name:
    """A site id for a part, how sure, and what limits it."""

    site: str
    confidence: float
    notes: tuple[str, ...] = ()


# trust in a name by kind alone; honest guesses, not calibrated
_TRUST = {
    "sacrum": 0.9, "hip": 0.9, "femur": 0.8, "sternum": 0.5, "clavicle": 0.5, "scapula": 0.6, "humerus": 0.6,
    "skull": 0.7, "mandible": 0.4,
}  # fmt: skip
CUT = "cut by the field of view"


def map_bones(study: Study, options: BoneOptions = BoneOptions()) -> tuple[MappedSite, ...]:
    """Every bone of a CT with its site, from geometry alone: no network, no atlas.

    Regions lie on image "ct" in the scan's own grid, do not overlap, and together hold all bone, marrow included.
    Names that geometry cannot give are "vertebra_unknown_n", "rib_left_unknown_n" or "bone_unknown_n". Confidence is
    that of the name, not calibrated.

    Raises:
        UnsuitableStudyError: the study has no CT volume in HU.
    """
    bones, parts, discs = parted(working_frame(ct_image(study), options.mask.spacing_mm), options)
    return _mapped(bones, parts, _named(parts, discs, options.levels))


def parted(
    frame: Frame, options: BoneOptions = BoneOptions(), chance: NDArray[np.uint8] | None = None
) -> tuple[BoneMask, Parts, Discs]:
    """The bone of a CT in its working frame, its parts before they are named, and the discs of its spine.

    Args:
        frame: of the spacing of the options.
        options: see `BoneOptions`.
        chance: of bone, see `osteoscope.find.ct_bones.bone_mask`.
    """
    bones = bone_mask(frame, options.mask, chance)
    canal = find_canal(bones, options.canal)
    if canal is None:
        bones = trimmed(bones, options.edge)
        return bones, unparted(bones), Discs.none()
    bones = without_canal(bones, canal, options.canal)
    line = spine_line(bones, canal)
    discs = find_discs(disc_signal(line, bones, options.discs), line.depth, options.discs)
    bones = with_eaten_bone(bones, line, discs, options.eaten)
    bones = trimmed(bones, options.edge)
    parts = part_bones(bones, line, discs, options.parts)
    return without_discs(bones, parts.are("vertebra"), line, discs, options.edge), parts, discs


def _named(parts: Parts, discs: Discs, options: LevelOptions) -> list[Name]:
    """A name for each part, unknown ones numbered in order."""
    order = [i for i, part in enumerate(parts.parts) if part.kind == "vertebra"]
    spans = [(part.place[0], part.place[1]) for part in (parts.parts[i] for i in order)]
    joined = {i: rib_levels(part.place[:1], spans)[0] for i, part in enumerate(parts.parts) if part.kind == "rib"}
    bearing = [number for number in joined.values() if number is not None]
    skull = any(part.kind == "skull" for part in parts.parts)
    levels = name_levels(
        spans, discs, find_anchors(len(spans), bearing, parts.top is not None, skull, options), options
    )
    counter: dict[str, int] = defaultdict(int)
    names = []
    for index, part in enumerate(parts.parts):
        if part.kind == "vertebra":
            level = levels[order.index(index)]
            names.append(_or_unknown(level.vertebra, level, "vertebra", counter))
        elif part.kind in {"rib", "rib_fragment"}:
            number = joined.get(index)
            names.append(_rib(part, None if number is None else levels[number], counter))
        else:
            names.append(_plain(part, counter))
    return names


def _rib(part: Part, level: Level | None, counter: dict[str, int]) -> Name:
    if level is None or level.vertebra is None or "_T" not in level.vertebra:
        reason = LEVEL_UNCERTAIN if level is not None else "not followed to the spine"
        return _or_unknown(None, Level(None, 0.3, (reason,)), f"rib_{part.side}", counter)
    number = level.vertebra.rpartition("_T")[2]
    return Name(f"rib_{part.side}_{number}", 0.9 * level.confidence, level.notes)


def _plain(part: Part, counter: dict[str, int]) -> Name:
    if part.kind not in _TRUST:
        return _or_unknown(None, Level(None, 0.0, ("not named by geometry",)), "bone", counter)
    return Name("_".join(filter(None, (part.kind, part.side))), _TRUST[part.kind])


def _or_unknown(site: str | None, level: Level, kind: str, counter: dict[str, int]) -> Name:
    if site is not None:
        return Name(site, level.confidence, level.notes)
    counter[kind] += 1
    return Name(f"{kind}_unknown_{counter[kind]}", level.confidence, level.notes)


def _mapped(bones: BoneMask, parts: Parts, names: list[Name]) -> tuple[MappedSite, ...]:
    """Regions on the scan's own grid; parts of one name become one site."""
    sites = list(dict.fromkeys(name.site for name in names))
    of_part = np.array([0, *(sites.index(name.site) + 1 for name in names)], dtype=np.uint16)
    labels = _on_source(bones, of_part[parts.labels])
    mapped = []
    for number, (site, box) in enumerate(zip(sites, _boxes(labels, len(sites)), strict=True), start=1):
        if box is None:
            continue
        own = [name for name in names if name.site == site]
        part = ImagePart.from_mask("ct", labels[box] == number, tuple(s.start for s in box))
        notes = tuple(dict.fromkeys(note for name in own for note in name.notes))
        if _is_cut(part, labels.shape):
            notes = (*notes, CUT)
        mapped.append(MappedSite(site, Region((part,)), "assessed", round(min(n.confidence for n in own), 3), notes))
    return tuple(mapped)


def _boxes(labels: NDArray[np.uint16], count: int) -> Iterable[tuple[slice, ...] | None]:
    found = ndimage.find_objects(labels, max_label=count)
    return [*found, *([None] * (count - len(found)))]


def _on_source(bones: BoneMask, sites: NDArray[np.uint16]) -> NDArray[np.uint16]:
    wider = np.where(sites > 0, sites, ndimage.grey_dilation(sites, size=3))
    labels = bones.frame.to_source(wider, linear=False)
    share = bones.frame.to_source(bones.bone.astype(np.float32), linear=True)
    return np.where(share > 0.5, labels, 0).astype(np.uint16)


def _is_cut(part: ImagePart, shape: tuple[int, ...]) -> bool:
    return any(s.start == 0 or s.stop == n for s, n in zip(part.box, shape, strict=True))
