"""An adult from a few numbers: skeleton, outline and organs, and the fields of view that show parts of him or her."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from osteoscope.domain.anatomy import SIDES, Side
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_body import Figure, figure
from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_femur import Leg, femur_bone
from osteoscope.simulate.ct_make import BoneMake
from osteoscope.simulate.ct_pelvis import hip_bone
from osteoscope.simulate.ct_sacrum import sacrum_bone
from osteoscope.simulate.ct_shoulder import Shoulder
from osteoscope.simulate.ct_spine import Vertebra, spine
from osteoscope.simulate.ct_thorax import Cage, rib_bone, rib_line, sternum_bone
from osteoscope.simulate.ct_vertebra import vertebra_bone

Coverage = Literal["trunk", "neck", "thorax", "abdomen", "pelvis", "femurs", "lumbar"]
SLIMMEST, STOUTEST = 0.75, 1.9


@dataclass(frozen=True)
class CtPatient:
    """A parametric adult.

    Args:
        girth: 1 for a lean adult, 1.3 for the average, 1.9 for a stout one.
        bone_density: factor on the HU of marrow: 1 for about 50 years, 0.5 for osteoporosis.
        spine_curve: factor on lordosis and kyphosis.
        sway_mm: sideways bow of the spine.
        make: how cortex and marrow differ from the model's.

    Raises:
        InvalidValueError: a number outside the range that the model was drawn for.
    """

    sex: Literal["M", "F"] = "F"
    age_years: float = 62.0
    stature_cm: float = 168.0
    girth: float = 1.2
    bone_density: float = 1.0
    spine_curve: float = 1.0
    sway_mm: float = 0.0
    make: BoneMake = field(default_factory=BoneMake)

    def __post_init__(self) -> None:
        ranges = {
            "stature_cm": (140, 210), "girth": (SLIMMEST, STOUTEST), "bone_density": (0.3, 2.0),
            "spine_curve": (0.5, 1.4), "sway_mm": (-25, 25), "age_years": (18, 110),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidValueError(
                    "build a simulated adult", f"{name} {getattr(self, name)}", f"Give {low} to {high}"
                )

    @property
    def scale(self) -> float:
        """Of bone lengths, 1 for 170 cm."""
        return self.stature_cm / 170

    @property
    def weight_kg(self) -> float:
        """A plausible weight for the girth."""
        return round(20.5 * self.girth * (self.stature_cm / 100) ** 2, 1)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The parts of a patient before they are painted; bones in the order of painting."""

    vertebrae: Mapping[str, Vertebra]
    cage: Cage
    body: Figure
    bones: tuple[Bone, ...]
    scale: float


def grow(patient: CtPatient, rng: np.random.Generator) -> Anatomy:
    """Build a patient; the generator varies what the recipe leaves open (proportions, angles of the hips)."""
    scale = patient.scale
    vertebrae = spine(scale * rng.normal(1, 0.015), patient.spine_curve * rng.normal(1, 0.06), patient.sway_mm)
    cage = Cage.around(vertebrae, scale * rng.normal(1, 0.03), rng.normal(0.97, 0.04) * (0.8 + 0.17 * patient.girth))
    body = figure(vertebrae, cage, (scale, patient.girth), patient.sex)
    marrow = 125 * patient.bone_density
    bones = [vertebra_bone(v, marrow * (1 + 0.25 * n / 12)) for n, v in enumerate(vertebrae.values())]
    bones.append(sacrum_bone(scale, 0.85 * marrow))
    for side in SIDES:
        leg = Leg(
            side, scale, (rng.normal(88, 1.5), rng.normal(-35, 1.5), -95.0), rng.normal(127, 3), rng.normal(14, 4),
            rng.normal(8, 8),
        )  # fmt: skip
        bones += [femur_bone(leg, marrow), hip_bone(leg, marrow)]
    for side in SIDES:
        bones += [rib_bone(side, n, rib_line(side, n, vertebrae[f"vertebra_T{n}"], cage), marrow) for n in range(1, 13)]
    bones.append(sternum_bone(cage, vertebrae, marrow))
    for side in SIDES:
        bones += _shoulder(side, scale, vertebrae, cage).bones(marrow)
    bones += body.head.bones(marrow)
    return Anatomy(vertebrae, cage, body, tuple(patient.make.of(bone) for bone in bones), scale)


def _shoulder(side: Side, scale: float, vertebrae: Mapping[str, Vertebra], cage: Cage) -> Shoulder:
    height, top = vertebrae["vertebra_T3"].centre[2], vertebrae["vertebra_T2"].centre[2] - 8
    _, centre, deep = cage.section(np.array([height, top]))
    blade = np.array([72 * scale, centre[0] + deep[0] + 14, height]) / scale
    notch = np.array([24 * scale, centre[1] - deep[1] - 2, top + 4]) / scale
    return Shoulder(side, scale, blade, notch)


def field_grid(coverage: Coverage, anatomy: Anatomy, spacing: tuple[float, float, float]) -> Grid:
    """The axial grid of a field of view, feet first in slice order, with some air around the body."""
    s, v = anatomy.scale, anatomy.vertebrae
    low, high = {
        "trunk": (-205 * s, v["vertebra_T1"].centre[2] + 12),
        "thorax": (v["vertebra_L1"].centre[2], v["vertebra_C6"].centre[2]),
        "neck": (v["vertebra_T4"].centre[2], v["vertebra_C1"].centre[2] + 85 * s),
        "abdomen": (-150 * s, v["vertebra_T9"].centre[2]),
        "pelvis": (-215 * s, v["vertebra_L4"].centre[2]),
        "femurs": (-500 * s, -40 * s),
        "lumbar": (-70 * s, v["vertebra_T11"].centre[2]),
    }[coverage]
    rows = anatomy.body.skin.rows[(anatomy.body.skin.heights > low - 40) & (anatomy.body.skin.heights < high + 40)]
    limbs = [a[0] + r for a, b, r, _ in anatomy.body.limbs if min(a[2], b[2]) < high and max(a[2], b[2]) > low]
    if coverage == "lumbar":
        wide, front, back = 95 * s, -115 * s, 95 * s
    else:
        wide = min(max(float(rows[:, 0].max()), *limbs, 0.0) + 28, 190 if coverage == "neck" else 250)
        face = anatomy.body.head.atlas[1] - 128 * s if coverage == "neck" else 0.0
        front, back = min(float(rows[:, 1].min()), face) - 30, anatomy.body.table + 52
    shape = [int(np.ceil(size / d)) for size, d in zip((high - low, back - front, 2 * wide), spacing, strict=True)]
    return Grid.axial(shape, spacing, (-wide, front, low))
