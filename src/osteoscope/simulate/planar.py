"""Simulated planar mIBG studies of children, with the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.codec import encode
from osteoscope.domain.finding import SetAside
from osteoscope.domain.geometry import Frame, Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite, Provenance, Reader, Reading, StudyRecord
from osteoscope.domain.study import Acquisition, Patient, Study
from osteoscope.simulate.body import Body, Child, build_child
from osteoscope.simulate.camera import WATER_PER_MM, Camera, Field, detect, expose, field_of
from osteoscope.simulate.cohort import random_recipe
from osteoscope.simulate.lesions import Diffuse, Foci, Lesion, Mass, Placed, place_lesions
from osteoscope.simulate.posture import ArmPose, LegPose, Pose
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.truth import Truth, totals
from osteoscope.simulate.uptake import Uptake, concentrations, texture

__all__ = [
    "ArmPose", "Camera", "ChildRecipe", "Diffuse", "Foci", "LegPose", "Lesion", "Mass", "Pose", "Simulation", "Uptake",
    "random_recipe", "simulate_planar",
]  # fmt: skip

_FRAMES: tuple[Frame, ...] = ("anterior", "posterior")


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated study and all that is known of it.

    Args:
        study: "nm-planar", counts of both views.
        reading: the truth (reader kind "truth").
        mapped: silhouette of every planar unit on both views.
        set_aside: silhouettes of physiological uptake.
    """

    study: Study
    reading: Reading
    mapped: tuple[MappedSite, ...]
    set_aside: tuple[SetAside, ...]


def simulate_planar(recipe: ChildRecipe, seed: int, body: Body | None = None) -> Simulation:
    """Simulate one study; the same recipe, seed and body give the same counts.

    Args:
        recipe: child, disease and scan.
        seed: draws what the recipe leaves open, in streams of their own: anatomy, uptake, lesions, noise.
        body: an anatomy to use instead of the parametric child; the recipe's stature, pose and bladder are then unused.
    """
    anatomy, organs, disease, noise = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4))
    body = body or build_child(
        Child(recipe.stature, recipe.age_years, recipe.pose, recipe.uptake.bladder_fill), anatomy
    )
    placed = place_lesions(body, recipe.lesions, disease)
    held = concentrations(body, recipe.uptake, recipe.age_years, organs)
    field = _field(body, recipe.camera)
    counts = detect(
        expose(_activity(body, held, placed, organs), body.density[body.labels] * WATER_PER_MM, field, recipe.camera),
        noise,
    )
    study = _study(recipe, seed, counts)
    truth = Truth(body, placed, field, {name: image.grid for name, image in study.images.items()})
    return _simulation(study, truth, held, Provenance(_software(), settings=_settings(recipe, seed)))


def _field(body: Body, camera: Camera) -> Field:
    """The body's crown at the head margin and the middle of its bones at the middle of the table."""
    bone = np.argwhere(body.unit_index >= 0)
    occupied = np.flatnonzero((body.labels > 0).any(axis=(1, 2)))
    crown = body.grid.to_position((int(occupied[-1]), 0, 0))[2]
    middle = body.grid.to_position((0, 0, float(np.median(bone[:, 2]))))[0]
    return field_of(body.grid, camera, float(crown), float(middle))


def _activity(
    body: Body, held: NDArray[np.float32], placed: tuple[Placed, ...], rng: np.random.Generator
) -> NDArray[np.float32]:
    activity = held[body.labels]
    for lesion in placed:
        activity.flat[lesion.voxels] = lesion.contrast
    return activity * texture(body, rng)


def _study(recipe: ChildRecipe, seed: int, counts: Mapping[str, NDArray[np.int32]]) -> Study:
    spacing = (recipe.camera.pixel_mm, recipe.camera.pixel_mm)
    shape = (recipe.camera.rows, recipe.camera.columns)
    images: dict[str, Image] = {
        name: Image(Grid.planar(shape, spacing, name), counts[name], "counts") for name in _FRAMES
    }
    patient = Patient(
        f"SIM-{seed}",
        age_years=round(recipe.age_years, 2),
        sex=recipe.sex,
        weight_kg=round(recipe.mass_kg, 1),
        height_cm=round(recipe.stature.height / 10, 1),
    )
    acquisition = Acquisition(
        "simulated whole-body sweep", tracer="mIBG", radionuclide="I-123", collimator=recipe.camera.collimator
    )
    return Study(f"2.25.{seed}", "nm-planar", "", patient, images, acquisition)


def _simulation(study: Study, truth: Truth, held: NDArray[np.float32], provenance: Provenance) -> Simulation:
    findings = truth.findings()
    sites = truth.sites(findings)
    set_aside = truth.set_aside(held)
    reader = Reader("truth", "osteoscope simulate", version("osteoscope"))
    reading = Reading(StudyRecord.of(study), reader, findings, sites, totals(sites), provenance, set_aside)
    return Simulation(study, reading, truth.mapped(), set_aside)


def _software() -> str:
    return f"osteoscope {version('osteoscope')}"


def _settings(recipe: ChildRecipe, seed: int) -> dict[str, str | int | float | bool]:
    return {"seed": seed, "recipe": json.dumps(encode(recipe), separators=(",", ":"))}
