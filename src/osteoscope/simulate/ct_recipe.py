"""What a simulated CT is made from, chosen by hand or at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from osteoscope.domain.anatomy import SIDES, VERTEBRAE
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_anatomy import SLIMMEST, STOUTEST, Coverage, CtPatient
from osteoscope.simulate.ct_lesions import SMALLEST_MM, CtLesion, LesionKind
from osteoscope.simulate.ct_mimics import OF_VERTEBRAE, CtMimic, MimicKind
from osteoscope.simulate.ct_organs import Contrast
from osteoscope.simulate.ct_scanner import KERNELS, Scanner


@dataclass(frozen=True)
class CtRecipe:
    """What to simulate.

    Args:
        coverage: "trunk" (upper thighs to T1), "thorax", "abdomen", "pelvis", "femurs",
            "neck" (T4 to the middle of the skull), or "lumbar" (narrow crop).
        spacing_mm: slice, row, column.
        contrast: phase after an iodinated agent.
        warp_mm: how far smooth random displacement moves bones, standard deviation.
        mimics: benign findings that look like metastases, in other bones than the lesions.

    Raises:
        InvalidValueError: a lesion and a mimic in one bone.
    """

    patient: CtPatient = field(default_factory=CtPatient)
    coverage: Coverage = "trunk"
    spacing_mm: tuple[float, float, float] = (2.5, 1.5, 1.5)
    scanner: Scanner = field(default_factory=Scanner)
    contrast: Contrast = "none"
    table: bool = True
    warp_mm: float = 2.0
    lesions: tuple[CtLesion, ...] = ()
    mimics: tuple[CtMimic, ...] = ()

    def __post_init__(self) -> None:
        shared = {lesion.site for lesion in self.lesions} & {mimic.site for mimic in self.mimics}
        if shared:
            raise InvalidValueError(
                "build a CT recipe", f"a lesion and a mimic in {sorted(shared)}", "Put them into different bones"
            )


def _both(bone: str) -> tuple[str, ...]:
    return tuple(f"{bone}_{side}" for side in SIDES)


_RIBS = tuple(f"rib_{side}_{n}" for side in SIDES for n in range(2, 11))
_THORACIC, _LUMBAR = VERTEBRAE[7:19], VERTEBRAE[19:]
_CHEST = (*_RIBS, "sternum", *_both("scapula"))
_PELVIS = ("sacrum", *_both("hip"))

# Bones that lie in a field for the most part, and its usual pixel sizes (least, most) and slice distances, mm.
_FIELDS: Mapping[Coverage, tuple[tuple[str, ...], tuple[float, float], tuple[float, ...]]] = MappingProxyType(
    {
        "trunk": ((*_THORACIC[1:], *_LUMBAR, *_CHEST, *_PELVIS, *_both("femur")), (1.4, 1.8), (2.5, 3.0, 5.0)),
        "thorax": ((*_THORACIC, *_CHEST, *_both("clavicle")), (1.0, 1.5), (1.5, 2.0, 3.0, 5.0)),
        "abdomen": ((*_THORACIC[9:], *_LUMBAR, *_PELVIS), (1.0, 1.5), (1.5, 2.0, 3.0, 5.0)),
        "pelvis": ((*_PELVIS, *_both("femur"), _LUMBAR[-1]), (0.9, 1.4), (1.5, 2.0, 2.5, 5.0)),
        "femurs": (_both("femur"), (1.1, 1.5), (2.5, 3.0, 5.0)),
        "neck": ((*VERTEBRAE[1:9], *_both("clavicle"), "skull"), (0.8, 1.2), (1.5, 2.0, 3.0)),
        "lumbar": ((*_LUMBAR, _THORACIC[-1]), (0.75, 1.1), (1.2, 2.0, 3.0)),
    }
)
# How often a bone is chosen, relative to one vertebra, and the largest diameter that it is given, mm.
_BONES = {
    "vertebra": (1.0, 38.0), "sacrum": (1.6, 55.0), "hip": (2.2, 80.0), "femur": (1.2, 60.0), "rib": (0.25, 40.0),
    "skull": (1.0, 40.0), "sternum": (0.8, 40.0), "scapula": (0.5, 45.0), "clavicle": (0.2, 30.0),
}  # fmt: skip
_KINDS: tuple[LesionKind, ...] = ("lytic", "blastic", "mixed")
_PHASES: tuple[Contrast, ...] = ("none", "arterial", "portal")


def _bone(site: str) -> tuple[float, float]:
    return _BONES[site.partition("_")[0]]


def random_ct_recipe(rng: np.random.Generator) -> CtRecipe:
    """A recipe from wide ranges of patients, fields, scanners and 0 to 8 lesions; one study in seven has none."""
    coverage = list(_FIELDS)[rng.choice(len(_FIELDS), p=(0.25, 0.18, 0.18, 0.18, 0.05, 0.08, 0.08))]
    sites, pixel, slices = _FIELDS[coverage]
    size = round(float(rng.uniform(*pixel)), 3)
    distance = float(rng.choice(slices))
    scanner = Scanner(
        kernel=list(KERNELS)[rng.integers(len(KERNELS))],
        noise_hu=round(float(np.exp(rng.uniform(np.log(6), np.log(40)))), 1),
        slice_mm=round(distance * float(rng.choice((1.0, 1.25))), 3),
        circle=bool(rng.random() < 0.2),
    )
    count = 0 if rng.random() < 1 / 7 else int(rng.integers(1, 9))
    lesions = _random_lesions(rng, sites, count)
    free = tuple(site for site in sites if site not in {lesion.site for lesion in lesions})
    return CtRecipe(
        _random_patient(rng),
        coverage,
        (distance, size, size),
        scanner,
        contrast=_PHASES[rng.choice(3, p=(0.5, 0.15, 0.35))],
        table=bool(rng.random() < 0.85),
        warp_mm=round(float(rng.uniform(1.0, 3.0)), 2),
        lesions=lesions,
        mimics=_random_mimics(rng, free, int(rng.integers(0, 5))),
    )


def _random_patient(rng: np.random.Generator) -> CtPatient:
    male = bool(rng.random() < 0.5)
    age = float(np.clip(rng.normal(66, 12), 25, 95))
    density = float(np.exp(rng.normal(0, 0.22))) * (1.45 - age / 150)
    return CtPatient(
        sex="M" if male else "F",
        age_years=round(age, 1),
        stature_cm=round(float(np.clip(rng.normal(176 if male else 163, 7), 142, 205)), 1),
        girth=round(float(np.clip(np.exp(rng.normal(0.2, 0.17)), SLIMMEST, STOUTEST)), 2),
        bone_density=round(float(np.clip(density, 0.35, 1.9)), 2),
        spine_curve=round(float(np.clip(rng.normal(0.95, 0.12), 0.55, 1.35)), 2),
        sway_mm=round(float(np.clip(rng.normal(0, 5), -20, 20)), 1),
    )


def _random_lesions(rng: np.random.Generator, sites: tuple[str, ...], count: int) -> tuple[CtLesion, ...]:
    """Different bones, so that each has room for its lesion."""
    weight = np.array([_bone(site)[0] for site in sites])
    chosen = rng.choice(len(sites), size=min(count, len(sites)), replace=False, p=weight / weight.sum())
    return tuple(_random_lesion(rng, sites[n]) for n in chosen)


def _random_mimics(rng: np.random.Generator, sites: tuple[str, ...], count: int) -> tuple[CtMimic, ...]:
    chosen = rng.choice(len(sites), size=min(count, len(sites)), replace=False)
    kinds: tuple[MimicKind, ...] = ("enostosis", *OF_VERTEBRAE)
    return tuple(
        CtMimic(sites[n], kinds[rng.integers(len(kinds))] if sites[n].startswith("vertebra") else "enostosis")
        for n in chosen
    )


def _random_lesion(rng: np.random.Generator, site: str) -> CtLesion:
    kind = _KINDS[rng.choice(3, p=(0.5, 0.3, 0.2))]
    largest = _bone(site)[1]
    diameter = float(np.exp(rng.uniform(np.log(SMALLEST_MM), np.log(largest))))
    destroys = kind != "blastic" and bool(rng.random() < 0.45)
    return CtLesion(
        site,
        kind,
        round(diameter, 1),
        breach=destroys,
        soft_tissue=destroys and diameter > 12 and bool(rng.random() < 0.5),
        rim_mm=round(float(rng.uniform(0.5, 3)), 1) if kind == "lytic" and rng.random() < 0.25 else 0.0,
    )
