"""The training of the planar network at toy size: bodies taken apart, examples, a few steps, export."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from osteoscope.errors import ModelError
from osteoscope.find.model import SHIPPED, Model
from osteoscope.find.planar_canvas import CANVAS, HALF
from osteoscope.simulate.camera import Camera
from osteoscope.simulate.lesion_kinds import Mass, Nodes
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.train.planar_apart import _elsewhere, make_basis, usual_uptake
from osteoscope.train.planar_basis import SEGMENTS, UNITS, Basis
from osteoscope.train.planar_bodies import basis_recipe, parametric_body, write_basis
from osteoscope.train.planar_export import Story, export
from osteoscope.train.planar_fit import FitOptions, fit
from osteoscope.train.planar_sample import Example, draw


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_basis(3, tmp_path_factory.mktemp("bases"))


@pytest.fixture(scope="module")
def basis(path: Path) -> Basis:
    return Basis.load(path)


@pytest.fixture(scope="module")
def examples(basis: Basis) -> list[Example]:
    rng = np.random.default_rng(5)
    return [draw(basis, rng) for _ in range(6)]


def test_a_basis_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    recipe = ChildRecipe(age_years=2, uptake=usual_uptake(), camera=Camera(pixel_mm=4.0))
    made = make_basis(recipe, parametric_body(recipe, rng), rng)
    made.save(tmp_path / "one.npz")
    found = Basis.load(tmp_path / "one.npz")
    assert len(found.parts) == len(made.parts)
    for a, b in zip(made.parts, found.parts, strict=True):
        assert (a.name, a.group, a.kind, a.segment, a.corner, a.scale) == (
            b.name,
            b.group,
            b.kind,
            b.segment,
            b.corner,
            b.scale,
        )
        assert np.array_equal(a.views, b.views)
        assert np.array_equal(a.mask, b.mask)
    assert np.array_equal(found.units, made.units)


def test_organs_of_a_basis_sum_to_the_wanted_counts(basis: Basis) -> None:
    organs = [p for p in basis.parts if p.kind == "organ"]
    anterior = sum(float(p.views[0].sum(dtype=np.float64)) * p.scale for p in organs)
    assert 1e5 < anterior < 2e6


def test_every_segment_in_the_field_can_be_diseased(basis: Basis) -> None:
    kinds = {(SEGMENTS[p.segment], p.kind) for p in basis.parts if p.segment >= 0}
    assert {("skull", "focus"), ("skull", "diffuse"), ("spine", "focus"), ("spine", "diffuse")} <= kinds


def test_examples_differ_and_fit_their_labels(examples: list[Example]) -> None:
    assert len({example.picture.tobytes() for example in examples}) == len(examples)
    for example in examples:
        assert example.picture.shape == (3, *CANVAS)
        assert example.units.shape == (len(UNITS), *HALF)
        assert np.isfinite(example.picture).all()
        assert set(example.levels.tolist()) <= set(range(-1, 7))
        for row, column, unit in example.foci.tolist():
            if 1 <= row < CANVAS[0] - 1 and 1 <= column < CANVAS[1] - 1:
                assert example.heat[round(row), round(column)] > 0.5
                assert example.owner[round((row - 0.5) / 2), round((column - 0.5) / 2)] >= 0, unit


def test_the_same_draw_gives_the_same_example(basis: Basis) -> None:
    first, second = (draw(basis, np.random.default_rng(8)) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)
    assert np.array_equal(first.levels, second.levels)


def test_training_learns_goes_on_and_ships(path: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    options = FitOptions(examples=16, batch=2, warm=4, workers=0, every=8)
    lines = list(fit([path], tmp_path, options))
    assert [line["examples"] for line in lines] == [8, 16]
    assert lines[1]["units"] < lines[0]["units"]
    more = list(fit([path], tmp_path, FitOptions(examples=24, batch=2, workers=0, every=8)))
    assert [line["examples"] for line in more] == [24]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        card = export(tmp_path / "weights.pt", tmp_path / "model", [path], Story("0", "a toy", ("a toy",)), draws=2)
    assert b"osteoscope/train" not in card.with_suffix(".onnx").read_bytes()
    assert json.loads(card.read_text())["settings"]["focus"].keys() >= {"constant", "heat"}
    heat, masks, acquired = Model.load(card).run(np.zeros((3, *CANVAS), dtype=np.float32))
    assert (heat.shape, masks.shape[1:], acquired.shape) == ((1, *CANVAS), HALF, (len(UNITS),))


def test_training_begins_with_a_model_that_is_there(path: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    weights = SHIPPED / "mibg_planar.onnx"
    few = FitOptions(examples=4, batch=2, rate=1e-6, warm=4, workers=0, every=4)
    (begun,) = fit([path], tmp_path / "begun", few, weights)
    (anew,) = fit([path], tmp_path / "anew", few)
    assert begun["units"] < anew["units"] / 4
    with pytest.raises(ModelError, match="same architecture"):
        list(fit([path], tmp_path / "other", few, SHIPPED / "ct_lesions.onnx"))


def test_masses_lie_beside_their_usual_places_some_far_away() -> None:
    rng = np.random.default_rng(1)
    moved = [lesion for lesion in (_elsewhere(Mass(), rng) for _ in range(300)) if isinstance(lesion, Mass)]
    away = np.linalg.norm([lesion.aside for lesion in moved], axis=1)
    assert np.median(away) < 0.3
    assert np.mean(away > 0.4) > 0.1
    assert 0.4 < np.mean([lesion.lobed for lesion in moved]) < 0.6
    assert _elsewhere(Nodes(), rng) == Nodes()


def test_half_of_the_bodies_lie_under_holes_of_no_table() -> None:
    cameras = [basis_recipe(np.random.default_rng(seed)).camera for seed in range(200)]
    drawn = [camera.holes for camera in cameras if camera.drawn_holes]
    assert 70 <= len(drawn) <= 130
    at_ten_cm = [camera.fwhm_mm(100) for camera in cameras if camera.drawn_holes]
    assert min(at_ten_cm) < 7
    assert max(at_ten_cm) > 12
    septal = [holes.septal for holes in drawn]
    assert min(septal) < 0.1
    assert max(septal) > 1.0
