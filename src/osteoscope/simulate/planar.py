"""Simulated planar mIBG studies of children, with the truth."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SKELETAL_UNITS
from osteoscope.domain.codec import encode
from osteoscope.domain.finding import SetAside
from osteoscope.domain.geometry import Frame, Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite, Provenance, Reader, Reading, StudyRecord
from osteoscope.domain.study import Acquisition, Patient, Study
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import Body, Child, build_child
from osteoscope.simulate.camera import WATER_PER_MM, Camera, Field, Optics, Reals, field_of
from osteoscope.simulate.cohort import balanced_recipe, random_recipe
from osteoscope.simulate.lesions import Confluent, Diffuse, Foci, Lesion, Mass, Nodes, Placed, place_lesions
from osteoscope.simulate.posture import ArmPose, LegPose, Pose
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.scan import Views, expose, field_of_motion, record
from osteoscope.simulate.silhouettes import Silhouettes
from osteoscope.simulate.truth import Truth, totals
from osteoscope.simulate.uptake import Uptake, concentrations, texture

__all__ = [
    "ArmPose", "Camera", "ChildRecipe", "Confluent", "Diffuse", "Foci", "LegPose", "Lesion", "Mass", "Nodes", "Pose",
    "Simulation", "Uptake", "balanced_recipe", "random_recipe", "simulate_planar",
]  # fmt: skip

_FRAMES: tuple[Frame, ...] = ("anterior", "posterior")


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated study and all that is known of it.

    Args:
        study: "nm-planar", counts of both views.
        reading: the truth (reader kind "truth").
        mapped: silhouette of every planar unit on both views.
        set_aside: silhouettes of physiological uptake, and of artefacts that show.
    """

    study: Study
    reading: Reading
    mapped: tuple[MappedSite, ...]
    set_aside: tuple[SetAside, ...]


def simulate_planar(recipe: ChildRecipe, seed: int, body: Body | None = None) -> Simulation:
    """Simulate one study; the same recipe, seed and body give the same counts.

    Args:
        recipe: child, disease and scan.
        seed: draws what the recipe leaves open, in streams of their own: anatomy, uptake, lesions, noise,
            artefacts with motion.
        body: an anatomy to use instead of the parametric child; the recipe's stature, pose and bladder are then unused.

    Raises:
        InvalidValueError: the seed is negative, or the camera sees nothing of the body.
    """
    if seed < 0:
        raise InvalidValueError("simulate a study", f"seed {seed}", "Give a seed of at least 0")
    anatomy, organs, disease, noise, other = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5))
    mark = _mark(recipe, seed, body)
    body = body or build_child(
        Child(recipe.stature, recipe.age_years, recipe.pose, recipe.uptake.bladder_fill), anatomy
    )
    placed = place_lesions(body, recipe.lesions, disease)
    held = concentrations(body, recipe.uptake, recipe.age_years, organs)
    field = field_over(body, recipe.camera)
    optics = Optics.of(attenuation_of(body), field_of_motion(field, recipe), recipe.camera)
    expected = _scaled(_expected(body, held, placed, optics, organs), field, recipe.camera)
    exposed = expose(*expected, Silhouettes(body, field), recipe, other)
    scanned = record(exposed, recipe, noise)
    study = _study(recipe, mark, scanned.counts)
    grids = {name: image.grid for name, image in study.images.items()}
    truth = Truth(exposed.silhouettes, placed, grids, scanned.visibility)
    made = _simulation(study, truth, held, Provenance(_software(), settings=_settings(recipe, seed)))
    return with_set_aside(made, scanned.traces)


def attenuation_of(body: Body) -> Reals:
    """Attenuation of each voxel, 1/mm."""
    return body.density[body.labels] * np.float32(WATER_PER_MM)


def field_over(body: Body, camera: Camera) -> Field:
    """A body under a camera: its uppermost voxel at the top margin, the middle of its bones at that of the table."""
    _, columns = body.in_picture(body.bone(SKELETAL_UNITS))
    slices, _ = body.in_picture(body.voxels(range(1, len(body.structures))))
    top = body.grid.to_position((int(slices.max()), 0, 0))
    middle = body.grid.to_position((0, 0, float(np.median(columns))))
    return field_of(body.grid, camera, float(top[2]), float(middle[0]))


def _expected(
    body: Body, held: NDArray[np.float32], placed: tuple[Placed, ...], optics: Optics, rng: np.random.Generator
) -> tuple[Views, Views]:
    """Expected counts of both views without disease, and what disease adds, in units of their own."""
    uneven = texture(body, rng)
    activity = held[body.labels] * uneven
    healthy = optics.expose(activity)
    change = np.zeros_like(activity)
    for lesion in placed:
        z, y, x = np.unravel_index(lesion.voxels, activity.shape)
        change[z, y, x] = np.maximum(lesion.contrast * uneven[z, y, x] - activity[z, y, x], 0)
    excess = optics.expose(change) if placed else {view: np.zeros_like(counts) for view, counts in healthy.items()}
    return healthy, excess


def _scaled(both: tuple[Views, Views], field: Field, camera: Camera) -> tuple[Views, Views]:
    """Both parts scaled to the anterior total that is wanted of the child at rest."""
    healthy, excess = both
    total = float(field.recorded(healthy["anterior"] + excess["anterior"]).sum())
    if total <= 0:
        raise InvalidValueError("simulate a study", "a camera that sees nothing of the body", "Move or widen its field")
    scale = camera.anterior_counts / total
    return _times(healthy, scale), _times(excess, scale)


def _times(views: Views, by: float) -> Views:
    return {view: by * counts for view, counts in views.items()}


def _mark(recipe: ChildRecipe, seed: int, body: Body | None) -> uuid.UUID:
    """The identity of a study: another recipe, seed or body is another child."""
    anatomy = f" {zlib.crc32(body.labels.tobytes()):08x}" if body else ""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"osteoscope simulated planar {seed} {_written(recipe)}{anatomy}")


def _study(recipe: ChildRecipe, mark: uuid.UUID, counts: Mapping[str, NDArray[np.int32]]) -> Study:
    spacing = (recipe.camera.pixel_mm, recipe.camera.pixel_mm)
    shape = (recipe.camera.rows, recipe.camera.columns)
    images: dict[str, Image] = {
        name: Image(Grid.planar(shape, spacing, name), counts[name], "counts") for name in _FRAMES
    }
    patient = Patient(
        f"SIM-{mark.hex[:10]}",
        age_years=round(recipe.age_years, 2),
        sex=recipe.sex,
        weight_kg=round(recipe.mass_kg, 1),
        height_cm=round(recipe.stature.height / 10, 1),
    )
    acquisition = Acquisition(
        "simulated whole-body sweep", tracer="mIBG", radionuclide="I-123", collimator=recipe.camera.collimator
    )
    return Study(f"2.25.{mark.int}", "nm-planar", "", patient, images, acquisition)


def with_set_aside(made: Simulation, traces: tuple[SetAside, ...]) -> Simulation:
    """The same simulation with more things seen and not counted."""
    aside = (*made.set_aside, *traces)
    return replace(made, set_aside=aside, reading=replace(made.reading, set_aside=aside))


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
    return {"seed": seed, "recipe": _written(recipe)}


def _written(recipe: ChildRecipe) -> str:
    return json.dumps(encode(recipe), separators=(",", ":"))
