"""Fixtures for all tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

# CI repeats the same examples, so that a landing never hangs on luck; a developer's run looks for new ones. How long an
# example takes hangs on what else the machine does.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """Where tests are spread, those of a file share a process and its fixtures; those in a browser a server too."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "tests/e2e" if file.startswith("tests/e2e/") else file


# The marks of `--dist loadgroup` are lost: xdist 3.8 writes them where pytest 9 no longer looks.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the checkout; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("reference data ../shared/data is absent")
    return SHARED


@pytest.fixture
def nnunet(tmp_path: Path) -> Path:
    """The folder of a model of nnU-Net that tells liver, L3 and the left femur; its checkpoint is a mere stand-in."""
    folder = tmp_path / "Dataset001_Toy" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    labels = {"background": 0, "liver": 1, "vertebrae_L3": 2, "femur_left": 3}
    (folder / "fold_0").mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps({"plans_name": "nnUNetPlans", "dataset_name": "Dataset001_Toy"}))
    (folder / "dataset.json").write_text(json.dumps({"labels": labels, "channel_names": {"0": "CT"}}))
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"weights")
    return folder
