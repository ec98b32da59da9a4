"""`osteoscope train ct` on the command line: wrong usage is told before anything is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from osteoscope.cli.app import app
from osteoscope.deliver import ct_training, nnunet_dataset
from osteoscope.deliver.ct_training import TrainOptions
from osteoscope.deliver.nnunet_dataset import Exported
from osteoscope.deliver.ratings import Problem
from osteoscope.errors import InvalidValueError


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--width", "8"), "give --anew too"),
        (("--anew", "--start", "model"), "give one of the two"),
        (("--lesions", "lesion("), "no expression: missing )"),
        (("--lesions", "lesion(", "--nnunet", "out"), "no expression: missing )"),
    ],
)
def test_wrong_usage_is_told(given: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ct_training, "train_ct", lambda *_: pytest.fail("it was begun"))
    done = CliRunner().invoke(app, ["train", "ct", "dataset", *given], env={"COLUMNS": "300"})
    assert done.exit_code == 2
    assert told in done.output


def test_options_that_contradict_are_no_options() -> None:
    with pytest.raises(InvalidValueError, match="Give one of the two"):
        TrainOptions(anew=True, start=Path("model"))
    with pytest.raises(InvalidValueError, match="no expression"):
        TrainOptions(names="lesion(")


def test_an_export_is_told_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lost = Problem("b", None, "", "no CT", "Put it there")
    monkeypatch.setattr(nnunet_dataset, "write_nnunet", lambda *_: Exported(tmp_path, ("a",), (lost,)))
    done = CliRunner().invoke(app, ["train", "ct", "dataset", "--nnunet", str(tmp_path), "--json"])
    assert done.exit_code == 3
    assert json.loads(done.stdout) == {"folder": str(tmp_path), "cases": ["a"], "problems": [str(lost)]}
    assert "no CT" in done.stderr
