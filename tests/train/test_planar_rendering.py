"""Many examples at once come out as one by one, and a network learns from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from osteoscope.errors import InvalidValueError, ModelError
from osteoscope.find.model import SHIPPED
from osteoscope.find.planar_canvas import CANVAS
from osteoscope.simulate.artefact_kinds import Catheter, Contamination
from osteoscope.simulate.artefact_objects import Absorber, HoldingHand
from osteoscope.simulate.artefacts import Artefact
from osteoscope.simulate.camera import Camera
from osteoscope.simulate.detector_faults import LowCounts, Saturation, Seam, Spots, Stripe
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.train import planar_supply
from osteoscope.train.fitting import Named
from osteoscope.train.planar_apart import make_basis, usual_uptake
from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_batch import Batch, Wanted
from osteoscope.train.planar_bodies import body_basis, parametric_body
from osteoscope.train.planar_gpu import fit
from osteoscope.train.planar_held import Held
from osteoscope.train.planar_net import PlanarNet
from osteoscope.train.planar_plan import Plan
from osteoscope.train.planar_rendering import rendered
from osteoscope.train.planar_sample import rendered as rendered_one
from osteoscope.train.planar_sample import scene_of
from osteoscope.train.planar_supply import Made, Shelf, Supply
from osteoscope.train.planar_trace import Trace
from osteoscope.train.widening import restored, widened

CPU = torch.device("cpu")
SETS: tuple[tuple[Artefact, ...], ...] = (
    (), (), (), (), (Contamination(), Catheter(), Seam()), (HoldingHand(),), (Absorber(),),
    (Stripe(), LowCounts()), (Stripe("row", 0.4, 2, 0.5, 1), Spots()), (Saturation(0.3),),
)  # fmt: skip


class Noiseless:
    """Draws as a generator does, but counts are what is expected of them."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def poisson(self, expected: np.ndarray) -> np.ndarray:
        return expected

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rng, name)


@pytest.fixture(scope="module")
def basis() -> Basis:
    return body_basis(3)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_many_at_once_come_out_as_one_by_one(basis: Basis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "poisson", lambda expected: expected)
    rng = np.random.default_rng(5)
    plans = [Plan.random(basis, rng) for _ in SETS]
    assert {plan.absent for plan in plans} != {-1}
    traces = [Trace.of(kinds, scene_of(basis), np.random.default_rng(n)) for n, kinds in enumerate(SETS)]
    held = Held.of(basis, traces, CPU)
    found = rendered(Batch([Wanted(held, plan, trace) for plan, trace in zip(plans, traces, strict=True)], CPU))
    for n, (plan, kinds) in enumerate(zip(plans, SETS, strict=True)):
        wanted = rendered_one(basis, plan, kinds, Noiseless(n))  # type: ignore[arg-type]
        off = np.abs(found["picture"][n].numpy() - wanted.picture)
        # Median counts of a few pixels less, other edges of a blur: nothing else may differ.
        assert np.quantile(off, 0.98) < 2e-3, kinds
        assert off.max() < 0.1, kinds
        assert found["heat"][n].numpy() == pytest.approx(wanted.heat, abs=1e-4)
        for name in ("units", "diffuse", "acquired", "owner"):
            assert np.array_equal(found[name][n].numpy(), getattr(wanted, name)), (name, kinds)
        glow = found["other"][n].numpy() != wanted.other
        assert glow.mean() < 1e-3, kinds


def test_noise_is_new_each_time(basis: Basis) -> None:
    plan = Plan.random(basis, np.random.default_rng(1))
    found = rendered(Batch([Wanted(Held.of(basis, (), CPU), plan)] * 2, CPU))
    assert not torch.equal(found["picture"][0, :2], found["picture"][1, :2])
    assert torch.equal(found["units"][0], found["units"][1])


def test_bodies_of_two_shapes_are_refused(basis: Basis) -> None:
    rng = np.random.default_rng(1)
    recipe = ChildRecipe(age_years=1, uptake=usual_uptake(), camera=Camera(rows=256, columns=128, pixel_mm=6.0))
    other = make_basis(recipe, parametric_body(recipe, rng), rng)
    wanted = [Wanted(Held.of(one, (), CPU), Plan.random(one, rng)) for one in (basis, other)]
    with pytest.raises(InvalidValueError, match="one shape"):
        Batch(wanted, CPU)


@dataclass
class Few:
    """A supply of a shelf that nobody fills."""

    shelf: Shelf
    device: torch.device = CPU

    def __iter__(self) -> Iterator[Named]:
        while True:
            yield rendered(self.shelf.batch(2))


def test_a_network_learns_from_batches(basis: Basis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteoscope.train.planar_gpu._TOLD", 2.0)
    rng = np.random.default_rng(2)
    shelf = Shelf(CPU, rng)
    shelf.add(Made(basis, tuple(Plan.random(basis, rng) for _ in range(4)), ()))
    lines = fit(PlanarNet((8, 8, 8, 8, 8, 8)), Few(shelf), tmp_path, 12.0)  # type: ignore[arg-type]
    first, *_, last = (line for line in lines if "units" in line)
    assert last["units"] < first["units"]
    assert last["steps"] > first["steps"]
    assert torch.load(tmp_path / "weights.pt", weights_only=True)["centres.weight"].shape == (1, 8, 1, 1)


def test_a_loss_that_is_not_finite_ends_the_training(basis: Basis, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    shelf = Shelf(CPU, rng)
    shelf.add(Made(basis, (Plan.random(basis, rng),), ()))
    net = PlanarNet((8, 8, 8, 8, 8, 8))
    with torch.no_grad():
        net.centres.weight.fill_(torch.nan)
    with pytest.raises(ModelError, match="losses"):
        list(fit(net, Few(shelf), tmp_path, 60.0))  # type: ignore[arg-type]


def test_bodies_are_made_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planar_supply, "_LEAST_BODIES", 1)
    supply = Supply(CPU, (), 2, 1)
    found = list(islice(supply, 2))
    assert [batch["picture"].shape for batch in found] == [(2, 3, *CANVAS)] * 2
    broken = tmp_path / "no_phantom.npz"
    monkeypatch.setattr(planar_supply, "_FIRST_NUMBER", 2)  # the first body of a phantom
    with pytest.raises(InvalidValueError, match=broken.name):
        next(iter(Supply(CPU, (broken,), 2, 1)))


def test_a_wider_network_computes_the_same() -> None:
    narrow, wide = (8, 12, 16, 16, 24, 24), (12, 16, 16, 24, 32, 40)
    torch.manual_seed(1)
    small = PlanarNet(narrow).eval()
    picture = torch.rand(1, 3, 64, 32)
    with torch.no_grad():
        for layer in small.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean = torch.rand(layer.num_features)
        large = widened(small, narrow, wide).eval()
        for a, b in zip(small(picture), large(picture), strict=True):
            assert torch.allclose(a, b, atol=1e-4)


def test_the_shipped_network_is_taken_up_again(basis: Basis) -> None:
    rng = np.random.default_rng(3)
    pictures = [rendered_one(basis, Plan.random(basis, rng), (), rng).picture for _ in range(2)]
    net = restored(SHIPPED / "mibg_planar.onnx", pictures)
    assert net.state_dict().keys() == PlanarNet().state_dict().keys()
