"""Numbers that other tools give to bones, as labels of `osteoscope.find.ct_bone_maps`.

Sources: class table of TotalSegmentator v2, task "total" (docs/background/ct.md), and the numbering of the VerSe
data sets (C1 = 1 ... L5 = 24, sacrum 26).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osteoscope.domain.anatomy import SIDES, VERTEBRAE

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


def label_of_class(name: str) -> str:
    """Label of a class by the name that a nnU-Net's dataset.json gives it; "" where it is no bone that we know.

    Understands our own site ids and TotalSegmentator's names ("vertebrae_L5", "clavicula_left", "vertebrae_S1").
    """
    plain = name.replace("vertebrae_", "vertebra_").replace("clavicula_", "clavicle_")
    plain = {"vertebra_S1": "sacrum", "bone": "bone"}.get(plain, plain)
    parts = plain.split("_")
    if parts[0] == "rib" and len(parts) == 3 and parts[1] in SIDES:
        return plain
    return plain if plain in _KNOWN else ""


_KNOWN = frozenset({*TOTALSEGMENTATOR.values(), *VERTEBRAE, "mandible", "bone"})
