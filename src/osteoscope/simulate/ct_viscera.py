"""What fills an adult's trunk: organs, vessels, bowel, discs and cartilage, that bone has to be told apart from.

Lengths in millimetres for a stature of 170 cm; chosen for the look of a CT, no morphometric reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SIDES
from osteoscope.simulate.ct_implicit import SIDE_SIGN, Array, Place
from osteoscope.simulate.ct_organs import Organ, Within, ball, cord
from osteoscope.simulate.ct_spine import Vertebra
from osteoscope.simulate.ct_thorax import Cage, rib_line

Floats = NDArray[np.float64]

# Tissue, centre, half axes; cut by the wall of the belly and the diaphragm.
_BELLY = (
    ("liver", (-64, -34, 246), (84, 98, 76)),
    ("liver", (4, -86, 272), (72, 44, 34)),
    ("spleen", (98, 22, 254), (30, 44, 50)),
    ("kidney", (-64, 4, 146), (27, 23, 54)),
    ("fat", (-58, 4, 146), (9, 10, 28)),
    ("kidney", (64, 4, 156), (27, 23, 54)),
    ("fat", (58, 4, 156), (9, 10, 28)),
)
_ELSEWHERE = (
    ("heart", (24, -76, 334), (58, 46, 48)),
    ("vein", (-22, -66, 338), (28, 30, 36)),
    ("muscle", (0, -22, -84), (26, 24, 26)),
    ("gut", (0, -64, -88), (42, 32, 31)),
    ("fluid", (0, -64, -88), (39, 29, 28)),
    ("muscle", (0, -44, -130), (22, 24, 18)),
)
# Tissue, way points with a radius each (x, y, z, r).
_MIDLINE = (
    ("heart", ((28, -72, 362, 15), (18, -52, 378, 13), (40, -36, 376, 10))),
    ("heart", ((18, -52, 378, 12), (-40, -34, 372, 9))),
    ("vein", ((-22, -64, 356, 11), (-24, -62, 420, 9), (-26, -60, 470, 7))),
    ("artery", ((14, -40, 408, 6), (30, -32, 450, 4.5), (34, -34, 540, 3.5))),
    ("artery", ((-4, -58, 408, 6.5), (-20, -44, 450, 5), (-34, -36, 540, 3.5))),
    ("gas", ((0, -62, 560, 8.5), (0, -50, 480, 8), (2, -38, 396, 8))),
    ("gas", ((2, -38, 396, 7), (-36, -30, 374, 5))),
    ("gas", ((2, -38, 396, 6), (38, -30, 368, 5))),
)
_BOTH_SIDES = (
    ("muscle", ((26, -14, 172, 9), (41, -16, 60, 21), (74, -58, -40, 19), (100, -42, -130, 12))),
    ("artery", ((8, -50, 56, 7), (34, -20, 0, 6.5), (62, -50, -60, 5.5), (84, -72, -120, 5), (88, -62, -230, 5))),
    ("vein", ((12, -36, 22, 9), (38, -2, -8, 7.5), (68, -38, -66, 7), (74, -66, -120, 6), (78, -54, -230, 6))),
)
# The same from the atlas: brain, air of nose and sinuses.
_HEAD = (
    ("brain", (0, -6, 82), (69, 87, 69)),
    *(("gas", (side * x, y, z), size)
      for (x, y, z), size in (((12, -86, 20), (7, 24, 22)), ((26, -84, 22), (11, 13, 14))) for side in (-1, 1)),
)  # fmt: skip
_ARCH = ((16, -74, 345), (-10, -82, 380), (-2, -62, 406), (16, -30, 402))
_COLON = (
    (-96, -20, 10, 22), (-102, -12, 70, 22), (-96, -20, 140, 21), (-70, -70, 158, 17), (0, -92, 120, 16),
    (60, -82, 160, 17), (98, -22, 190, 17), (104, 0, 110, 15), (102, -8, 40, 15), (84, -40, -10, 14),
    (40, -60, -30, 13), (20, -20, -45, 13), (0, 30, -40, 14), (0, 44, -75, 17), (0, 26, -115, 13),
)  # fmt: skip
_STOMACH = ((58, -36, 272, 36), (66, -62, 232, 30), (24, -86, 196, 20))
_LOOPS = 34
# Where the cartilage of ribs 1-10 ends: share of the sternum's length below its top, distance from the midline.
_CARTILAGE = (
    (0.10, 26), (0.27, 14), (0.40, 14), (0.52, 16), (0.62, 18), (0.72, 18), (0.82, 12), (0.95, 30), (1.08, 46),
    (1.2, 62),
)  # fmt: skip


def viscera(vertebrae: Mapping[str, Vertebra], scale: float) -> list[Organ]:
    """Solid organs, vessels, muscles along the spine, discs and the dural sac."""
    size = np.array([scale, scale, scale])
    organs = [ball(tissue, centre * size, radii * size, "belly") for tissue, centre, radii in _BELLY]
    organs += [ball(tissue, centre * size, radii * size) for tissue, centre, radii in _ELSEWHERE]
    atlas = vertebrae["vertebra_C1"].centre
    organs += [ball(tissue, atlas + centre * size, radii * size) for tissue, centre, radii in _HEAD]
    organs += [_cord(tissue, np.array(rows) * scale) for tissue, rows in _MIDLINE]
    for side in SIDE_SIGN.values():
        mirror = np.array([side, 1, 1, 1])
        organs += [_cord(tissue, np.array(rows) * scale * mirror) for tissue, rows in _BOTH_SIDES]
    return [*organs, *_great_vessels(vertebrae, scale), *_column(vertebrae)]


def _cord(tissue: str, rows: Floats, within: Within = "anywhere") -> Organ:
    return cord(tissue, rows[:, :3], rows[:, 3], within)


def _great_vessels(vertebrae: Mapping[str, Vertebra], s: float) -> list[Organ]:
    def ahead(levels: Sequence[str], side: float, gap: float) -> list[tuple[float, float, float]]:
        spots = [vertebrae[f"vertebra_{level}"] for level in levels]
        return [(v.centre[0] + side * s, v.centre[1] - v.size.depth / 2 - gap * s, v.centre[2]) for v in spots]

    aorta = [*(np.array(_ARCH) * s).tolist(), *ahead(("T5", "T7", "T9", "T11", "L1", "L3", "L4"), 12, 12)]
    radii = np.array([15, 15, 15, 14, 12.5, 12, 11.5, 11, 10, 9, 8]) * s
    cava = ahead(("L5", "L3", "L1", "T11"), -19, 13)
    return [cord("artery", aorta, radii), cord("vein", cava, np.array([9, 11, 11.5, 12]) * s)]


def _column(vertebrae: Mapping[str, Vertebra]) -> list[Organ]:
    """Discs as short rods around the bodies, and the dural sac behind them; bones are painted over it."""
    rows = list(vertebrae.values())
    sac = [v.outside(0, (v.size.depth + v.size.canal_depth) / 2, 0) for v in rows]
    path = [(0.0, 44.0, -40.0), (0.0, 26.0, -14.0), *sac]
    return [*(_disc(v) for v in rows[:-2]), cord("theca", path, [5, 6, *[6.5] * len(sac)])]


def _disc(v: Vertebra) -> Organ:
    wide, deep, half = v.size.width / 2 - 1, v.size.depth / 2 - 1, v.size.height / 2 + 0.6 * v.size.disc
    reach = np.array([wide + 3, deep + half, deep + half])

    def shape(p: Place) -> Array:
        q = p.at(v.centre).pitched(v.lean)
        return np.maximum((np.sqrt((q.x / wide) ** 2 + (q.y / deep) ** 2) - 1) * deep, np.abs(q.z) - half)

    return Organ("disc", v.centre - reach, v.centre + reach, shape)


def cartilages(
    vertebrae: Mapping[str, Vertebra], cage: Cage, scale: float, age_years: float, rng: np.random.Generator
) -> list[Organ]:
    """Costal cartilages; the older the patient, the more of them is calcified."""
    top, bottom = vertebrae["vertebra_T2"].centre[2] - 8, vertebrae["vertebra_T9"].centre[2] - 6
    organs = []
    for side in SIDES:
        for number, (down, out) in enumerate(_CARTILAGE, 1):
            start = rib_line(side, number, vertebrae[f"vertebra_T{number}"], cage)[-1]
            z = top - down * (top - bottom)
            _, centre, deep = cage.section(np.array([z, (z + start[2]) / 2 - 8]))
            end = np.array([SIDE_SIGN[side] * out * scale, centre[0] - deep[0], z])
            middle = np.array([(start[0] + end[0]) / 2, centre[1] - 0.86 * deep[1], (z + start[2]) / 2 - 8])
            path = np.array([start, middle, end])
            organs.append(cord("cartilage", path, [5.5, 6, 5]))
            for _ in range(rng.poisson(max(age_years - 40, 0) / 14)):
                at = path[0] + rng.uniform(0, 0.9) * (path[1] - path[0]) + rng.normal(0, 2, 3)
                organs.append(ball("calcium", at, rng.uniform(1.2, 3.5, 3)))
    return organs


def bowel(rng: np.random.Generator, scale: float) -> list[Organ]:
    """Stomach, colon and small bowel: walls with fluid, and gas that lies in front."""
    colon = np.array(_COLON) * scale
    colon[1:-4, :3] += rng.normal(0, 7, (len(colon) - 5, 3))
    organs = [*_gut(rng, colon), *_gut(rng, np.array(_STOMACH) * scale)]
    for _ in range(_LOOPS):
        start = rng.uniform((-82, -112, -62), (82, -46, 150))
        path = np.cumsum([start, rng.normal(0, 22, 3), rng.normal(0, 20, 3)], axis=0)
        radius = np.full((3, 1), rng.uniform(9, 14))
        organs += _gut(rng, np.hstack([path, radius]) * scale)
    return organs


def _gut(rng: np.random.Generator, rows: Floats) -> list[Organ]:
    """Wall, mostly a lumen with fluid, and bubbles along the front."""
    organs = [_cord("gut", rows, "belly")]
    if rng.random() < 0.65:
        organs.append(_cord("fluid", rows - (0, 0, 0, 3), "belly"))
    for a, b in pairwise(rows):
        for along in (0.15, 0.45, 0.75):
            if rng.random() < 0.3:
                radius = b[3] * rng.uniform(0.6, 1.1)
                centre = a[:3] + along * (b[:3] - a[:3]) - (0, 0.35 * b[3], 0)
                organs.append(ball("gas", centre, radius * np.array([0.62, 0.42, 0.62]), "belly"))
    return organs


def lung_vessels(rng: np.random.Generator, scale: float) -> list[Organ]:
    """Branching vessels from both hila into the lungs."""
    organs: list[Organ] = []
    for side in SIDE_SIGN.values():
        tips = [(np.array([side * 40.0, -32, 372]) * scale, np.array([float(side), 0, 0]), 5.5)]
        for _ in range(4):
            tips = [branch for tip in tips for branch in _branches(rng, tip, organs)]
    return organs


def _branches(
    rng: np.random.Generator, tip: tuple[Floats, Floats, float], organs: list[Organ]
) -> list[tuple[Floats, Floats, float]]:
    start, heading, radius = tip
    grown = []
    for _ in range(4 if radius > 5 else 3):
        aim = heading + rng.normal(0, 0.75, 3)
        aim /= np.linalg.norm(aim)
        end = start + aim * radius * rng.uniform(7, 11)
        organs.append(cord("vessel", [start, end], [radius, 0.62 * radius], "lung"))
        grown.append((end, aim, 0.62 * radius))
    return grown
