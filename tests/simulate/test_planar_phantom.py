"""An anatomy made by others under the same camera: the ICRP 110 adult male, scaled to a child."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from osteoscope.domain.anatomy import PLANAR_UNITS
from osteoscope.simulate.body import Body
from osteoscope.simulate.planar import Camera, ChildRecipe, Diffuse, Foci, Mass, simulate_planar

# First and last ICRP 110 organ id of a structure; "%" takes the side of the voxel.
NAMES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "humerus_%": ((13, 18),), "distal_upper_limb_%": ((19, 23),), "clavicle_%": ((24, 25),), "femur_%": ((28, 33),),
    "distal_lower_limb_%": ((34, 38),), "skull": ((26, 27),), "mandible": ((39, 40), (128, 128)), "pelvis": ((41, 42),),
    "thoracic_cage": ((43, 46), (55, 56)), "cervical_spine": ((47, 48),), "thoracic_spine": ((49, 50),),
    "lumbar_spine": ((51, 52),), "sacrum": ((53, 54),), "brain": ((61, 61),), "heart": ((87, 87),),
    "heart_cavity": ((88, 88),), "liver": ((95, 95),), "lung_left": ((96, 97),), "lung_right": ((98, 99),),
    "kidney_%": ((89, 94),), "spleen": ((127, 127),), "thyroid": ((132, 132),), "bladder": ((137, 138),),
    "parotid_%": ((120, 121),), "stomach": ((72, 73),), "bowel": ((74, 86),), "adrenal_%": ((1, 2),),
}  # fmt: skip


def phantom(folder: Path, scale: float) -> Body:
    with np.load(folder / "phantom" / "icrp110" / "icrp110_AM.npz") as stored:
        organ, spacing = stored["organ_id"], stored["spacing_zyx_mm"] * scale
    names = ["air", "soft_tissue"]
    labels = np.where((organ > 0) & (organ < 140), 1, 0).astype(np.uint8)
    left = np.broadcast_to(np.arange(organ.shape[2]) >= organ.shape[2] / 2, organ.shape)
    for name, ranges in NAMES.items():
        member = np.any([(organ >= low) & (organ <= high) for low, high in ranges], axis=0)
        for side, half in (("right", ~left), ("left", left)) if "%" in name else (("", np.True_),):
            labels[member & half] = len(names)
            names.append(name.replace("%", side))
    return Body.of(labels, spacing.tolist(), names, 4.0)


def test_a_foreign_phantom_is_an_anatomy(shared: Path) -> None:
    body = phantom(shared, 0.7)
    assert all(body.bone((unit,)).size for unit in PLANAR_UNITS if unit != "soft_tissue")
    lesions = (Foci("proximal_lower_limb_left", 3), Diffuse("spine", 0.7), Diffuse("skull", 1.0, "patchy"), Mass())
    recipe = ChildRecipe(age_years=8, lesions=lesions, camera=Camera(rows=512, columns=128, pixel_mm=4.8))
    made = simulate_planar(recipe, 1, body)
    levels = {s.site: m.value for s in made.reading.sites if (m := s.measure("siopen"))}
    assert {site: value for site, value in levels.items() if value} == {
        "proximal_lower_limb_left": 3, "spine": 5, "skull": 6,
    }  # fmt: skip
    organs = {aside.what: aside.region for aside in made.set_aside}
    liver, bladder = (organs[name].on("anterior") for name in ("liver", "bladder"))
    assert liver is not None
    assert bladder is not None
    counts = made.study.images["anterior"].values
    assert counts[liver.box][liver.mask].mean() > 3 * np.median(counts[counts > 0])
    assert liver.centroid()[0] < bladder.centroid()[0]
