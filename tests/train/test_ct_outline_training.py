"""The training of the outline network of CT at toy size: bright tissue, pieces, a few steps, export, a look."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from osteoscope.domain.reading import regions_of
from osteoscope.find.ct_bone_outline import MODEL, outline
from osteoscope.find.ct_frame import working_frame
from osteoscope.find.model import Model
from osteoscope.simulate.ct import CtRecipe, CtSimulation, Scanner, simulate_ct
from osteoscope.train import ct_lesions, ct_outline, ct_outline_fit
from osteoscope.train.ct_bright_tissue import add_bright_tissue
from osteoscope.train.ct_ground import Ground
from osteoscope.train.ct_lesion_patches import PATCH
from osteoscope.train.ct_scans import Scan, prepare
from osteoscope.train.exporting import Story
from osteoscope.train.fitting import FitOptions


@pytest.fixture(scope="module")
def simulated() -> CtSimulation:
    return simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=(2.5, 1.4, 1.4), scanner=Scanner(noise_hu=12)), 4)


@pytest.fixture(scope="module")
def scan(simulated: CtSimulation) -> Scan:
    return prepare(simulated.study, regions_of(simulated.mapped), (), ())


def beside_bone(seed: int) -> Ground:
    """Bone of 400 HU in one half, soft tissue in the other."""
    bone = np.zeros((48,) * 3, dtype=bool)
    bone[:, :, :24] = True
    return Ground(
        np.where(bone, 400.0, 50.0).astype(np.float32), bone, np.zeros(bone.shape, np.uint8),
        np.ones(bone.shape, np.float32), (0.5, 0.5, 0.5), 10.0, (0.5, 0.5, 0.5), np.random.default_rng(seed),
    )  # fmt: skip


def test_bright_tissue_lies_beside_bone_and_leaves_it_alone() -> None:
    brighter = 0
    for seed in range(30):
        ground = beside_bone(seed)
        add_bright_tissue(ground)
        assert np.array_equal(ground.hu[:, :, :21], beside_bone(seed).hu[:, :, :21])
        assert not ground.label.any()
        assert ground.bone.sum() == 48 * 48 * 24
        brighter += bool((ground.hu[:, :, 26:] > 200).sum() > 20)
    assert 10 < brighter < 28


def test_where_there_is_no_soft_tissue_nothing_is_painted() -> None:
    ground = beside_bone(1)
    ground.hu[:] = 900
    before = ground.hu.copy()
    add_bright_tissue(ground)
    assert np.array_equal(ground.hu, before)


def test_a_piece_is_labelled_with_its_bone(scan: Scan) -> None:
    told_apart = 0
    for seed in range(12):
        ground = ct_outline_fit.outline_piece(scan, np.random.default_rng(seed))
        assert ground.label.shape == ground.hu.shape == ground.weight.shape == (PATCH,) * 3
        assert set(np.unique(ground.label)) <= {0, 1}
        bone, soft = ground.label == 1, (ground.label == 0) & (ground.hu > -300)
        if bone.sum() > 500 and soft.sum() > 500:
            assert ground.hu[bone].mean() > ground.hu[soft].mean() + 50
            told_apart += 1
    assert told_apart > 4


def test_losses_are_lowest_for_the_truth() -> None:
    bone = torch.zeros(1, 8, 8, 8)
    bone[:, 2:6, 2:6, 2:6] = 1
    batch = {"label": bone, "weight": torch.ones_like(bone)}
    right, wrong = (ct_outline_fit.losses(((sign * 20 * (2 * bone - 1))[:, None],), batch) for sign in (1.0, -1.0))
    assert right["entropy"] < 1e-6
    assert right["overlap"] < 1e-3
    assert wrong["entropy"] > 1
    assert wrong["overlap"] > 0.5


def test_training_ships_a_model_that_outlines(scan: Scan, simulated: CtSimulation, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    path = scan.save(tmp_path / "simulated.npz")
    options = FitOptions(examples=160, batch=2, rate=4e-3, warm=10, average=0.9, workers=0, every=40)
    first, *_, last = ct_outline_fit.fit({"simulated": [path], "phantoms": []}, tmp_path, options)
    assert last["overlap"] < 0.95 * first["overlap"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        card = ct_outline.export(tmp_path / "weights.pt", tmp_path / "model", Story("0", "a toy", ("a toy",)))
    model = Model.load(card)
    assert (model.card.name, model.card.settings["step_mm"]) == (MODEL, 1.125)
    image = simulated.study.images["ct"]
    frame = working_frame(image, 1.5)
    truth = np.zeros(image.grid.shape, dtype=np.uint8)
    for region in regions_of(simulated.mapped):
        for part in region.parts:
            truth[part.box] |= part.mask
    edge = outline(image, frame.from_source(truth) > 0, frame, model)
    bone = edge.frame.from_source(truth) > 0
    assert edge.chance[bone].mean() > 1.2 * edge.chance[~bone & (edge.frame.hu > -500)].mean()


@pytest.mark.parametrize("training", [ct_lesions, ct_outline])
def test_scans_that_calibrate_are_not_asked_for(
    training: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def simulated(numbers: Sequence[int], *_: object) -> list[Path]:
        asked.extend(numbers)
        return []

    monkeypatch.setattr(training, "write_all_simulated", simulated)
    command = typer.Typer()
    command.command()(training.main)
    held_out = min(ct_lesions._HELD_OUT)
    assert CliRunner().invoke(command, [str(tmp_path), "--scans", str(held_out + 1)]).exit_code == 2
    assert asked == []
