"""Numbers that other tools give to bones, as labels of `osteoscope.find.ct_bone_maps`.

Sources: class table of TotalSegmentator v2, task "total" (docs/background/ct.md), and the numbering of the VerSe
data sets (C1 = 1 ... L5 = 24, sacrum 26).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from osteoscope.domain.anatomy import BONES, SIDES, SITES, VERTEBRAE

_LEFT_FIRST = SIDES[::-1]
TOTALSEGMENTATOR: Mapping[int, str] = MappingProxyType(
    {
        25: "sacrum",
        26: "sacrum",
        **{50 - n: vertebra for n, vertebra in enumerate(VERTEBRAE)},
        **{
            first + n: f"{bone}_{side}"
            for bone, first in {"humerus": 69, "scapula": 71, "clavicle": 73, "femur": 75, "hip": 77}.items()
            for n, side in enumerate(_LEFT_FIRST)
        },
        91: "skull",
        **{92 + 12 * n + k: f"rib_{side}_{k + 1}" for n, side in enumerate(_LEFT_FIRST) for k in range(12)},
        116: "sternum",
    }
)
VERSE: Mapping[int, str] = MappingProxyType(dict(enumerate(VERTEBRAE, 1)) | {26: "sacrum"})
SCHEMES: Mapping[str, Mapping[int, str]] = MappingProxyType({"totalsegmentator": TOTALSEGMENTATOR, "verse": VERSE})


# Names of TotalSegmentator's other tasks and of habit, beside the stems of our own site ids; without a side as a rule.
_OTHER_BONES = (
    "carpal", "metacarpal", "phalanges_hand", "tarsal", "metatarsal", "phalanges_feet", "talus", "calcaneus", "coccyx",
    "hyoid", "maxilla", "zygomatic_arch", "pelvis", "spine", "rib", "ribs", "bone", "bones", "skeleton",
)  # fmt: skip
_STEMS = {re.sub("_(left|right|[CTL]?[0-9]+)", "", bone) for bone in BONES} - {"vertebra", "rib"}
_BONE_NAME = re.compile(rf"((left|right)_)?({'|'.join(sorted({*_STEMS, *_OTHER_BONES}))})(_(left|right))?")
# Kinds of bones that have no site id of ours, the first pattern that fits.
_KINDS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "vertebra": re.compile(r"vertebra(_[A-Z]?[0-9]+)?"),
        **{f"rib_{side}": re.compile(rf"ribs?_{side}(_[0-9]+)?") for side in SIDES},
        "bone": _BONE_NAME,
    }
)


def label_of_class(name: str) -> str:
    """What a class is by its name in a nnU-Net's dataset.json: a site id, the kind of a bone, "" for neither.

    Understands our own site ids and TotalSegmentator's names ("vertebrae_L5", "clavicula_left", "vertebrae_S1"). A bone
    without a site id ("rib_left_13", "vertebrae_L6", "tibia") is of the kind "rib_left", "vertebra", "bone".
    """
    plain = re.sub("^vertebrae?(?=_|$)", "vertebra", name).replace("clavicula", "clavicle")
    plain = re.sub("^vertebra_S[1-5]$", "sacrum", plain)
    if plain in BONES:
        return plain
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(plain)), "")


@dataclass(frozen=True)
class BoneClass:
    """A class of another tool: its site id, or its kind and that tool's name where we have none; "" for no bone."""

    label: str
    unknown: str = ""

    @classmethod
    def of(cls, name: str) -> BoneClass:
        """By the name that the tool gives it."""
        label = label_of_class(name)
        return cls(label, "" if label in SITES else name)
