"""Sites as tables: bones with SNOMED CT codes, planar units, SIOPEN segments and Curie regions.

Ids are strings. Codes were checked against the concept tables that pydicom carries (PS3.16).
Sources: mIBG segments S3, S4, S8 and Curie regions S3, S4, S14 of docs/background/mibg.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from osteoscope.errors import InvalidValueError

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")


@dataclass(frozen=True)
class Site:
    """A named part of the body.

    Args:
        id: stable string id, such as "vertebra_L3" or "femur_left".
        name: for a reader.
        code: SNOMED CT concept of the structure, without side.
        side: the patient's side, None for unpaired structures.
        level_known: False where the structure is named but not its level or number.
    """

    id: str
    name: str
    code: str
    side: Side | None = None
    level_known: bool = True


def _single(site: str, name: str, code: str) -> list[Site]:
    return [Site(site, name, code)]


def _paired(site: str, name: str, code: str) -> list[Site]:
    return [Site(f"{site}_{side}", f"{side} {name}", code, side) for side in SIDES]


_VERTEBRA_CODES = {
    "C1": "14806007", "C2": "39976000", "C3": "113205007", "C4": "5329002", "C5": "36978003", "C6": "36054005",
    "C7": "87391001", "T1": "64864005", "T2": "53733008", "T3": "1626008", "T4": "73071006", "T5": "56401006",
    "T6": "45296009", "T7": "62487009", "T8": "11068009", "T9": "82687006", "T10": "7610001", "T11": "12989004",
    "T12": "23215003", "L1": "66794005", "L2": "14293000", "L3": "36470004", "L4": "11994002", "L5": "49668003",
}  # fmt: skip
_VERTEBRA, _RIB, _BONE = "51282000", "113197003", "272673000"

VERTEBRAE: tuple[str, ...] = tuple(f"vertebra_{level}" for level in _VERTEBRA_CODES)

_BONES: list[Site] = [
    *_single("skull", "skull", "89546000"),
    *_single("mandible", "mandible", "91609006"),
    *(Site(f"vertebra_{level}", f"vertebra {level}", code) for level, code in _VERTEBRA_CODES.items()),
    *_single("sacrum", "sacrum", "54735007"),
    *_single("sternum", "sternum", "56873002"),
    *(Site(f"rib_{side}_{n}", f"{side} rib {n}", _RIB, side) for side in SIDES for n in range(1, 13)),
    *_paired("clavicle", "clavicle", "51299004"),
    *_paired("scapula", "scapula", "79601000"),
    *_paired("humerus", "humerus", "85050009"),
    *_paired("radius", "radius", "62413002"),
    *_paired("ulna", "ulna", "23416004"),
    *_paired("hand", "hand", "85562004"),
    *_paired("hip", "hip bone", "29836001"),
    *_paired("femur", "femur", "71341001"),
    *_paired("patella", "patella", "64234005"),
    *_paired("tibia", "tibia", "12611008"),
    *_paired("fibula", "fibula", "87342007"),
    *_paired("foot", "foot", "56459004"),
]

_PLANAR: list[Site] = [
    *_single("cervical_spine", "cervical spine", "122494005"),
    *_single("thoracic_spine", "thoracic spine", "122495006"),
    *_single("lumbar_spine", "lumbar spine", "122496007"),
    *_single("spine", "spine", "421060004"),
    *_single("thoracic_cage", "thoracic cage", "272710004"),
    *_single("pelvis", "pelvis", "816092008"),
    *_paired("proximal_upper_limb", "proximal upper limb", "40983000"),
    *_paired("distal_upper_limb", "distal upper limb", "14975008"),
    *_paired("proximal_lower_limb", "proximal lower limb", "71341001"),
    *_paired("distal_lower_limb", "distal lower limb", "30021000"),
    *_single("craniofacial", "head and face", "89546000"),
    *_single("cervicothoracic_spine", "cervical and thoracic spine", "1217257000"),
    *_single("chest", "chest", "272710004"),
    *_single("lumbosacral_spine", "lumbar and sacral spine", "1217253001"),
    *_single("upper_arms", "both upper arms", "40983000"),
    *_single("lower_arms", "both forearms and hands", "14975008"),
    *_single("femurs", "both thighs", "71341001"),
    *_single("lower_legs", "both lower legs and feet", "30021000"),
    *_single("soft_tissue", "soft tissue", "87784001"),
]

BONES: tuple[str, ...] = tuple(bone.id for bone in _BONES)
SITES: Mapping[str, Site] = MappingProxyType({site.id: site for site in [*_BONES, *_PLANAR]})

# A bone that geometry finds but cannot name in full: "vertebra_unknown_2", "rib_left_unknown_1", "bone_unknown_7".
_UNKNOWN = re.compile(r"(?P<kind>vertebra|rib|bone)(?:_(?P<side>right|left))?_unknown_[1-9]\d*")
_UNKNOWN_CODES = {"vertebra": _VERTEBRA, "rib": _RIB, "bone": _BONE}


def site(site_id: str) -> Site:
    """The Site of an id, ids of bones with an unknown level included.

    Raises:
        InvalidValueError: the id is in no table.
    """
    if site_id in SITES:
        return SITES[site_id]
    match = _UNKNOWN.fullmatch(site_id)
    if match is None:
        raise InvalidValueError("look up a site", f"id {site_id!r}", "Use an id of docs/reference/sites.md")
    side: Side | None = next((s for s in SIDES if s == match["side"]), None)
    name = " ".join(filter(None, (side, match["kind"], "(level uncertain)")))
    return Site(site_id, name, _UNKNOWN_CODES[match["kind"]], side, level_known=False)


# The fine planar units that one list of findings is kept in; both scores are derived from them.
PLANAR_UNITS: tuple[str, ...] = (
    "skull", "cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum", "thoracic_cage", "pelvis",
    *(f"{part}_{side}" for part in (
        "proximal_upper_limb", "distal_upper_limb", "proximal_lower_limb", "distal_lower_limb") for side in SIDES),
    "soft_tissue",
)  # fmt: skip
SKELETAL_UNITS: tuple[str, ...] = tuple(unit for unit in PLANAR_UNITS if unit != "soft_tissue")

# Segment -> units. The sacrum is drawn in the spine by one redrawn schematic (S8) only, so it is a choice:
# `siopen_members("pelvis")` moves it.
SIOPEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "skull": ("skull",),
        "thoracic_cage": ("thoracic_cage",),
        "proximal_upper_limb_right": ("proximal_upper_limb_right",),
        "distal_upper_limb_right": ("distal_upper_limb_right",),
        "proximal_upper_limb_left": ("proximal_upper_limb_left",),
        "distal_upper_limb_left": ("distal_upper_limb_left",),
        "spine": ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum"),
        "pelvis": ("pelvis",),
        "proximal_lower_limb_right": ("proximal_lower_limb_right",),
        "distal_lower_limb_right": ("distal_lower_limb_right",),
        "proximal_lower_limb_left": ("proximal_lower_limb_left",),
        "distal_lower_limb_left": ("distal_lower_limb_left",),
    }
)

CURIE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "craniofacial": ("skull",),
        "cervicothoracic_spine": ("cervical_spine", "thoracic_spine"),
        "chest": ("thoracic_cage",),
        "lumbosacral_spine": ("lumbar_spine", "sacrum"),
        "pelvis": ("pelvis",),
        "upper_arms": ("proximal_upper_limb_right", "proximal_upper_limb_left"),
        "lower_arms": ("distal_upper_limb_right", "distal_upper_limb_left"),
        "femurs": ("proximal_lower_limb_right", "proximal_lower_limb_left"),
        "lower_legs": ("distal_lower_limb_right", "distal_lower_limb_left"),
        "soft_tissue": ("soft_tissue",),
    }
)


def siopen_members(sacrum: Literal["spine", "pelvis"] = "spine") -> Mapping[str, tuple[str, ...]]:
    """SIOPEN segments to planar units, with the sacrum in the spine (default) or the pelvis."""
    moved = {segment: tuple(u for u in units if u != "sacrum") for segment, units in SIOPEN.items()}
    moved[sacrum] = (*moved[sacrum], "sacrum")
    return MappingProxyType(moved)


# Which planar unit a bone is seen in: ties the CT arm, simulation and the planar arm together.
BONE_TO_UNIT: Mapping[str, str] = MappingProxyType(
    {
        "skull": "skull",
        "mandible": "skull",
        **{f"vertebra_{level}": {"C": "cervical_spine", "T": "thoracic_spine", "L": "lumbar_spine"}[level[0]]
           for level in _VERTEBRA_CODES},
        "sacrum": "sacrum",
        "sternum": "thoracic_cage",
        **{f"rib_{side}_{n}": "thoracic_cage" for side in SIDES for n in range(1, 13)},
        **{f"{bone}_{side}": "thoracic_cage" for bone in ("clavicle", "scapula") for side in SIDES},
        **{f"hip_{side}": "pelvis" for side in SIDES},
        **{f"{bone}_{side}": f"{unit}_{side}" for unit, bones in {
            "proximal_upper_limb": ("humerus",),
            "distal_upper_limb": ("radius", "ulna", "hand"),
            "proximal_lower_limb": ("femur",),
            "distal_lower_limb": ("patella", "tibia", "fibula", "foot"),
        }.items() for bone in bones for side in SIDES},
    }
)  # fmt: skip
