"""A plausible cohort: ages, poses, uptake, scans and the bimodal burden of metastatic neuroblastoma."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from osteoscope.simulate.artefacts import random_artefacts
from osteoscope.simulate.camera import COLLIMATORS, Camera, CollimatorName
from osteoscope.simulate.growth import Sex, usual_height_mm
from osteoscope.simulate.random_disease import (
    balanced_lesions,
    lesions_of_level,
    random_lesions,
    residual_lesions,
    spread_levels,
)
from osteoscope.simulate.random_pose import random_pose
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.uptake import Uptake

__all__ = [
    "balanced_recipe", "lesions_of_level", "random_camera", "random_lesions", "random_pose", "random_recipe",
    "random_uptake", "spread_levels",
]  # fmt: skip

# After therapy rather than at diagnosis (choice).
_AFTER_THERAPY = 0.25
# Arms, feet or crown out of the field (choice).
_CUT = 0.12
# Children that move during the sweep (choice); by 3 to 30 mm, docs/background/mibg.md.
_MOVES = 0.12


def random_recipe(rng: np.random.Generator) -> ChildRecipe:
    """One child of a cohort: three quarters at diagnosis, with the bimodal burden of that time, the rest after therapy.

    Most studies have no artefact or one (`osteoscope.simulate.artefacts`), one child in eight moves.
    """
    child = _child(rng)
    lesions = residual_lesions(rng) if rng.random() < _AFTER_THERAPY else random_lesions(rng)
    return replace(child, lesions=lesions)


def balanced_recipe(rng: np.random.Generator) -> ChildRecipe:
    """As `random_recipe`, but each level of each SIOPEN segment is about as frequent as the others."""
    child = _child(rng)
    return replace(child, lesions=balanced_lesions(rng))


def _child(rng: np.random.Generator) -> ChildRecipe:
    age = float(np.clip(rng.lognormal(np.log(3.3), 0.75), 0.1, 17.9))
    sexes: tuple[Sex, ...] = ("M", "F")
    return ChildRecipe(
        age_years=age,
        sex=sexes[int(rng.integers(2))],
        tallness=float(np.clip(rng.normal(1, 0.04), 0.88, 1.12)),
        girth=float(np.clip(rng.normal(1, 0.08), 0.8, 1.3)),
        pose=random_pose(rng, age),
        uptake=random_uptake(rng),
        camera=random_camera(rng, age),
        artefacts=random_artefacts(rng),
        motion_mm=float(np.exp(rng.uniform(np.log(3), np.log(30)))) if rng.random() < _MOVES else 0.0,
    )


def random_uptake(rng: np.random.Generator) -> Uptake:
    """Physiological uptake with the spread of docs/background/mibg.md."""
    sympathetic = float(rng.uniform(0.5, 1.1))
    return Uptake(
        heart=sympathetic * rng.lognormal(0, 0.18),
        lung=rng.lognormal(0, 0.12),
        liver=rng.lognormal(0, 0.25),
        spleen=rng.lognormal(0, 0.2),
        kidneys=rng.lognormal(0, 0.3),
        adrenals=rng.uniform(0, 2.5) * (rng.random() < 0.3),
        bladder=np.exp(rng.uniform(np.log(0.15), np.log(2.5))),
        bowel=rng.lognormal(0, 0.5),
        salivary=sympathetic * rng.lognormal(0.0, 0.3),
        lacrimal=rng.lognormal(0, 0.3),
        nasal=rng.lognormal(0, 0.35),
        thyroid=rng.uniform(0.3, 1.5) * (rng.random() < 0.12),
        brown_fat=rng.uniform(0.4, 1.2) * (rng.random() < 0.12),
        muscle=rng.lognormal(0, 0.15),
        brain=rng.lognormal(0, 0.15),
        left_lobe=max(0.8, rng.normal(1.35, 0.15)),
        bladder_fill=rng.beta(1.2, 2.5),
    )


def random_camera(rng: np.random.Generator, age_years: float) -> Camera:
    """Matrix, pixel, collimator, counts and table as hospitals differ."""
    names: tuple[CollimatorName, ...] = tuple(COLLIMATORS)
    fine = rng.random() < 0.1
    pixel = float(rng.choice((1.8, 2.0, 2.21, 2.4, 2.4, 2.4, 2.8, 3.3)))
    typical = np.log(3e5) + 0.6 * np.log1p(age_years) / np.log(10)
    camera = Camera(
        rows=2048 if fine else 1024,
        columns=512 if fine else 256,
        pixel_mm=pixel / 2 if fine else pixel,
        collimator=names[int(rng.choice(len(names), p=(0.40, 0.15, 0.45)))],
        anterior_counts=float(np.clip(np.exp(rng.normal(typical, 0.5)), 1.5e5, 1.5e6)),
        anterior_gap_mm=float(rng.uniform(10, 90)),
        posterior_gap_mm=float(rng.uniform(25, 80)),
        top_margin_mm=float(rng.uniform(20, 200)),
        scan_mm=float(rng.choice((1900.0, 2100.0, 1300.0))),
        table_mm=float(rng.normal(0, 12)),
        intrinsic_fwhm_mm=float(rng.uniform(3.0, 5.0)),
        scatter_share=float(rng.uniform(0.0, 0.25)),
        scatter_fwhm_mm=float(rng.uniform(60, 130)),
        septal_fwhm_mm=(float(rng.uniform(70, 150)), float(rng.uniform(220, 450))),
    )
    return _truncated(rng, camera, age_years) if rng.random() < _CUT else camera


def _truncated(rng: np.random.Generator, camera: Camera, age_years: float) -> Camera:
    """A field that leaves out the feet, the arms, or the crown."""
    height = usual_height_mm(age_years, "M")
    kind = rng.choice(3, p=(0.45, 0.35, 0.2))
    if kind == 0:
        return replace(camera, scan_mm=camera.top_margin_mm + height * float(rng.uniform(0.55, 0.98)))
    if kind == 1:
        return replace(camera, field_width_mm=float(np.clip(height * rng.uniform(0.28, 0.42), 150.0, 500.0)))
    return replace(camera, top_margin_mm=-height * float(rng.uniform(0.01, 0.12)))
