"""Who finds the bones of a CT."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import DependencyError, ModelError
from osteoscope.find import ct_bones_network
from osteoscope.find.ct_bones_nnunet import _PROGRAM
from osteoscope.reading.bones import by_choice
from osteoscope.reading.ct_plans import bones_by_network
from osteoscope.reading.plan_table import PLANS, plan_for


@pytest.fixture
def ct() -> Study:
    grid = Grid.axial((4, 8, 8), (3, 2, 2))
    return Study("1.2", "ct", "", Patient("p"), {"ct": Image(grid, np.zeros(grid.shape, np.int16), "HU")})


def test_a_chosen_network_is_named_in_the_plan_and_its_models(
    ct: Study, nnunet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / _PROGRAM
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    before = plan_for(ct, baseline=True)
    plan = by_choice(before, f"nnunet:{nnunet}")
    assert plan.name == f"{before.name}, bones by nnunet"
    (record,) = plan.models()
    assert record.name == "nnU-Net Dataset001_Toy/nnUNetTrainer__nnUNetPlans__3d_fullres"
    assert record.sha256 == hashlib.sha256(b"weights").hexdigest()
    (said,) = set(plan.limits) - set(before.limits)
    assert said.reason == "classes of the model that are not taken for bone: liver"


def test_what_cannot_run_is_said_before_reading(
    ct: Study, nnunet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(DependencyError, match="nnunetv2"):
        by_choice(plan_for(ct), f"nnunet:{nnunet}")
    with pytest.raises(ModelError, match=r"plans\.json"):
        by_choice(plan_for(ct), f"nnunet:{tmp_path}")


def test_plans_without_bones_stay() -> None:
    planar = next(plan for plan in PLANS if plan.name == "mibg-planar")
    assert by_choice(planar, "nnunet:nowhere") is planar


def test_the_package_network_takes_the_place_of_the_search(ct: Study) -> None:
    plan = bones_by_network(plan_for(ct, baseline=True))
    assert plan.map_sites is ct_bones_network.map_bones
    assert plan.detect is plan_for(ct, baseline=True).detect
