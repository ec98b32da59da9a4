"""The training of the second look of CT at toy size: candidates, heads, export, confidences calibrated anew."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.ct_lesion_spots import Spot
from osteoscope.find.ct_second_look import FEATURE, MODEL, SIDE, Around
from osteoscope.find.ct_twins import FEATURE as TWINS
from osteoscope.find.model import Model
from osteoscope.train.ct_held_out import with_implants
from osteoscope.train.ct_lesion_export import calibrate, export, with_settings
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_lesion_patches import deep_place, thin_place
from osteoscope.train.ct_lesion_start import second_look_from_onnx
from osteoscope.train.ct_scans import Scan
from osteoscope.train.ct_second_look_apart import OfPatient, calibrated_apart
from osteoscope.train.ct_second_look_examples import Candidates, Copy, write_candidates
from osteoscope.train.ct_second_look_fit import HeadOptions, Seen, fit_heads, seen
from osteoscope.train.ct_second_look_net import SecondLookNet
from osteoscope.train.exporting import Graph, Story, logistic, write_model

WIDTHS = (8, 16)
BALLS = ((20, 20, 20), (40, 40, 45), (20, 40, 70), (40, 20, 20), (20, 20, 45), (40, 40, 70))


@pytest.fixture(scope="module")
def scan() -> Scan:
    """Marrow of 200 HU with lesions of 60 HU, which are marked, and holes filled with fat, which are not."""
    rng = np.random.default_rng(3)
    bone = np.zeros((60, 60, 90), dtype=bool)
    bone[4:-4, 4:-4, 4:-4] = True
    hu = np.where(bone, 200, 40) + rng.normal(0, 8, bone.shape)
    label = np.zeros(bone.shape, dtype=np.uint8)
    for number, centre in enumerate(BALLS):
        ball = ndimage.distance_transform_edt(~_point(bone.shape, centre)) < 6
        hu[ball] = (60, -80)[number % 2] + rng.normal(0, 8, np.count_nonzero(ball))
        label[ball] = (number + 1) * (number % 2 == 0)
    return Scan(hu.astype(np.int16), bone, label, (0.5, 0.5, 0.5), 8.0, (0.5, 0.5, 0.5))


def _point(shape: tuple[int, ...], at: tuple[int, int, int]) -> np.ndarray:
    found = np.zeros(shape, dtype=bool)
    found[at] = True
    return found


@pytest.fixture(scope="module")
def detector(scan: Scan, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Untrained."""
    folder = tmp_path_factory.mktemp("detector")
    net = LesionNet(WIDTHS)
    torch.manual_seed(0)
    torch.save(net.state_dict(), folder / "weights.pt")
    scan.save(folder / "scan.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        card = export(
            folder / "weights.pt", folder, [folder / "scan.npz"], Story("0", "toy", ()), 48, LesionNet(WIDTHS)
        )
    return Model.load(card)


def candidates(scan: Scan) -> Candidates:
    """The six balls."""
    labels, _ = ndimage.label(ndimage.gaussian_filter(scan.hu.astype(float), 1) < 130, np.ones((3, 3, 3)))
    around, lesion = [], []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        inside = labels[box] == number
        if 300 < inside.sum() < 3000:
            around.append(Around.of(Spot(box, inside, "lytic", {}), scan.hu, 1.5))
            lesion.append(bool(scan.label[box][inside].any()))
    own = np.array([np.packbits(a.own) for a in around])
    beside = np.zeros((len(around), 2), dtype=np.float32)
    return Candidates(np.array([a.hu for a in around]), own, np.array(lesion), beside)


def test_heads_learn_to_tell_tumour_from_fat(scan: Scan) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    given = candidates(scan)
    assert given.lesion.tolist().count(True) == given.lesion.tolist().count(False) == 3
    net = SecondLookNet(LesionNet(WIDTHS).eval())
    before = [parameter.clone() for parameter in net.detector.parameters()]
    losses = list(fit_heads(net, [(seen(net, given), 1.0)], HeadOptions(rounds=30, batch=8)))
    assert losses[-1] < losses[0] / 2
    with torch.no_grad():
        said = net(torch.from_numpy(np.stack([given.picture(n) for n in range(6)])))[:, 0].numpy()
    assert said[given.lesion].min() > said[~given.lesion].max()
    assert all(torch.equal(a, b) for a, b in zip(before, net.detector.parameters(), strict=True))
    scale = net.spread.clone()
    some = Candidates(given.hu[:4], given.own[:4], given.lesion[:4], given.beside[:4])
    (on,) = fit_heads(net, [(seen(net, some), 1.0)], HeadOptions(rounds=1, rate=1e-6, anew=False))
    assert torch.equal(net.spread, scale)
    assert on < losses[0] / 2


def test_candidates_are_kept_and_come_back(scan: Scan, detector: Model, tmp_path: Path) -> None:
    scan.save(tmp_path / "simulated_00001.npz")
    path = tmp_path / "simulated_00001.npz"
    copies = [Copy(path, 0), Copy(path, 1), Copy(path, 1, "thin"), Copy(path, 1, "thick")]
    paths = [write_candidates(copy, tmp_path / "c", detector) for copy in copies]
    assert len(set(paths)) == len(copies)
    found = Candidates.load(paths)
    assert found.hu.shape == (len(found.lesion), SIDE, SIDE, SIDE)
    assert all(found.picture(number)[2].any() for number in range(len(found.lesion)))
    assert found.beside.shape == (len(found.lesion), 2)
    assert np.isfinite(found.beside).all()
    made = paths[0].stat().st_mtime_ns
    assert write_candidates(copies[0], tmp_path / "c", detector).stat().st_mtime_ns == made


def test_candidates_that_another_version_kept_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "old.npz", hu=np.zeros((0, SIDE, SIDE, SIDE)), lesion=np.zeros(0, dtype=bool))
    with pytest.raises(UnsuitableStudyError, match=r"old\.npz.*Remove it"):
        Candidates.load([tmp_path / "old.npz"])


@pytest.mark.parametrize("common", [True, False])
def test_confidences_trust_heads_as_far_as_those_know_patients_that_they_never_met(common: bool) -> None:
    """What marks a lesion is the same in all patients, or another thing in each, which can only be learnt by heart."""
    torch.manual_seed(2)
    detector = LesionNet(WIDTHS).eval()
    count = len(SecondLookNet(detector).mean)
    shared = torch.randn(count)
    patients = []
    for number in range(6):
        lesion = (torch.arange(60) % 2).float()
        marks = lesion[:, None] * (shared if common else torch.randn(count))
        features = torch.randn(60, 4, count) * 0.3 + marks[:, None]
        beside = np.random.default_rng(number).normal(lesion.numpy()[:, None], 1.0, (60, 2)).astype(np.float32)
        patients.append(OfPatient(Seen(features, lesion), beside, 1.0, real=number < 4))
    weights = calibrated_apart(patients, detector, HeadOptions(rounds=15, batch=64))
    # Each alone would weigh 1; heads that know the answer leave nothing to them.
    for name in ("mean", TWINS):
        assert (weights[name] < 0.4) if common else (weights[name] > 0.6), weights


def test_lesions_are_put_into_thin_bone_where_that_is_wanted() -> None:
    """A block and two rods of bone."""
    bone = np.zeros((60, 60, 90), dtype=bool)
    bone[10:50, 10:50, 5:45] = True
    for y in (5, 15, 25, 35, 45):
        bone[5:55, y : y + 5, 60:65] = bone[5:55, y : y + 5, 75:80] = True
    hu = np.where(bone, 300, 40).astype(np.int16)
    scan = Scan(hu, bone, np.zeros(bone.shape, dtype=np.uint8), (0.5, 0.5, 0.5), 8.0, (0.5, 0.5, 0.5))
    counts = []
    for place in (deep_place, thin_place):
        made = with_implants(scan, np.random.default_rng(1), 12, 0, place)
        counts.append(len(np.unique(made.label[:, :, 52:])) - 1)
    assert counts[1] >= counts[0] + 3


def test_an_exported_second_look_calibrates_the_detector_anew(scan: Scan, detector: Model, tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = SecondLookNet(LesionNet(WIDTHS)).eval()
    torch.nn.init.uniform_(net.mean, 0, 0.1)
    torch.nn.init.uniform_(net.spread, 0.2, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = Graph(MODEL, "toy", (3, *(SIDE,) * 3), ("lesion",))
        card = write_model(net, graph, tmp_path, Story("0", "toy", ()), lambda _: {})
    second = Model.load(card)
    picture = np.random.default_rng(0).normal(0, 1, (3, *(SIDE,) * 3)).astype(np.float32)
    picture[2] = picture[2] > 1
    with torch.no_grad():
        said = float(net(torch.from_numpy(picture[None])))
        back = second_look_from_onnx(card.with_suffix(".onnx"))
        assert second.run(picture)[0][0] == pytest.approx(said, abs=1e-4)
        assert float(back(torch.from_numpy(picture[None]))) == pytest.approx(said, abs=1e-2)  # by way of half precision
    again = Model.load(with_settings(detector, calibrate(detector, second, [scan]), tmp_path))
    assert again.card.sha256 == detector.card.sha256
    assert FEATURE in json.loads((tmp_path / "ct_lesions.json").read_text())["settings"]["confidence"]


def test_a_feature_that_may_only_speak_for_a_lesion_never_speaks_against_one() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(0, 1, (400, 2))
    right = features[:, 0] - 0.5 * features[:, 1] + rng.normal(0, 0.5, 400) > 0
    free = logistic(features.tolist(), right.tolist(), ("a", "b"))
    held = logistic(features.tolist(), right.tolist(), ("a", "b"), rising=("a", "b"))
    assert free["b"] < -1
    assert held["b"] == 0
    assert held["a"] > 1
