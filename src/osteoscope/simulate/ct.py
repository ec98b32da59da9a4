"""Simulated CT of adults with bone metastases, each with its truth Reading."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np

from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite, Provenance, Reading
from osteoscope.domain.study import Acquisition, Patient, Study
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_anatomy import Anatomy, Coverage, CtPatient, field_grid, grow
from osteoscope.simulate.ct_body import paint_body, paint_table
from osteoscope.simulate.ct_canvas import Canvas, PlacedBone
from osteoscope.simulate.ct_lesions import CtLesion, PlacedLesion, implant
from osteoscope.simulate.ct_mimics import CtMimic, PlacedMimic, implant_mimic
from osteoscope.simulate.ct_organs import paint_organs
from osteoscope.simulate.ct_recipe import CtRecipe, random_ct_recipe
from osteoscope.simulate.ct_scanner import Scanner, scan
from osteoscope.simulate.ct_truth import mapped_sites, truth
from osteoscope.simulate.ct_viscera import bowel, cartilages, lung_vessels, viscera


@dataclass(frozen=True)
class CtSimulation:
    """A simulated Study, its truth, and where its bones truly lie."""

    study: Study
    reading: Reading
    mapped: tuple[MappedSite, ...]


def simulate_ct(recipe: CtRecipe, seed: int) -> CtSimulation:
    """Simulate a CT; the same recipe and seed give the same study.

    Raises:
        InvalidValueError: the seed is negative, or a lesion or mimic in a bone that is not in the field of view, or
            without room in it.
    """
    if seed < 0:
        raise InvalidValueError("simulate a CT", f"seed {seed}", "Give a seed of at least 0")
    rng = np.random.default_rng(seed)
    anatomy = grow(recipe.patient, rng)
    canvas = Canvas.on(field_grid(recipe.coverage, anatomy, recipe.spacing_mm), rng, recipe.warp_mm)
    _paint_soft(canvas, anatomy, recipe, rng)
    bones = [placed for bone in anatomy.bones if (placed := canvas.add(bone))]
    mimics, lesions = _implant_all(canvas, bones, anatomy, recipe, rng)
    hu = scan(canvas.hu, canvas.grid, recipe.scanner, rng)
    study = _study(recipe, seed, Image(canvas.grid, hu, "HU"))
    mapped = mapped_sites(bones, canvas.grid)
    provenance = Provenance("osteoscope simulate", settings={"seed": seed, "recipe": repr(recipe)})
    return CtSimulation(study, truth(study, mapped, (lesions, mimics), provenance), mapped)


def _paint_soft(canvas: Canvas, anatomy: Anatomy, recipe: CtRecipe, rng: np.random.Generator) -> None:
    paint_body(canvas, anatomy.body, rng)
    if recipe.table:
        paint_table(canvas, anatomy.body.table)
    organs = viscera(anatomy.vertebrae, anatomy.scale)
    organs += cartilages(anatomy.vertebrae, anatomy.cage, anatomy.scale, recipe.patient.age_years, rng)
    organs += [*bowel(rng, anatomy.scale), *lung_vessels(rng, anatomy.scale)]
    paint_organs(canvas, organs, anatomy.body, recipe.contrast)


def _implant_all(
    canvas: Canvas, bones: list[PlacedBone], anatomy: Anatomy, recipe: CtRecipe, rng: np.random.Generator
) -> tuple[list[PlacedMimic], list[PlacedLesion]]:
    by_site = {placed.bone.site: placed for placed in bones}
    for site in [*(lesion.site for lesion in recipe.lesions), *(mimic.site for mimic in recipe.mimics)]:
        if site not in by_site:
            raise InvalidValueError(
                f"implant in {site}", f"no such bone in the field {recipe.coverage!r}", "Choose another bone or field"
            )
    mimics = [implant_mimic(canvas, by_site[mimic.site], anatomy.vertebrae, mimic, rng) for mimic in recipe.mimics]
    lesions: list[PlacedLesion] = []
    for lesion in recipe.lesions:
        lesions.append(implant(canvas, by_site[lesion.site], lesion, lesions, rng))
    return mimics, lesions


def _study(recipe: CtRecipe, seed: int, image: Image) -> Study:
    mark = uuid.uuid5(uuid.NAMESPACE_OID, f"osteoscope simulated CT {seed} {recipe!r}")
    who = recipe.patient
    patient = Patient(f"SIM-{mark.hex[:10]}", "Simulated^CT", who.age_years, who.sex, who.weight_kg, who.stature_cm)
    acquisition = Acquisition(
        description=f"CT {recipe.coverage}, simulated, not a patient",
        manufacturer="Osteoscope",
        model="simulator",
        kernel=recipe.scanner.kernel.upper(),
        contrast_agent="" if recipe.contrast == "none" else f"iodine, {recipe.contrast} phase",
        kvp=120.0,
        slice_thickness_mm=recipe.scanner.slice_mm or recipe.spacing_mm[0],
    )
    return Study(f"2.25.{mark.int}", "ct", "2000-01-01", patient, {"ct": image}, acquisition)


__all__ = [
    "Coverage",
    "CtLesion",
    "CtMimic",
    "CtPatient",
    "CtRecipe",
    "CtSimulation",
    "Scanner",
    "random_ct_recipe",
    "simulate_ct",
]
