"""A run goes on from what it began with, and tells what it has learnt from, not what lies there now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from osteoscope.deliver import ct_run
from osteoscope.deliver.ct_prepared import Prepared
from osteoscope.deliver.ct_run import begin_run, learn, learnt
from osteoscope.errors import IntakeError
from osteoscope.train.ct_lesion_tune import TuneOptions
from osteoscope.train.fitting import examples_done

Make = Callable[..., Prepared]
OPTIONS = TuneOptions(steps=2, batch=3)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose training sets the number of examples and nothing else."""
    folder = tmp_path / "run"

    def tune(_: Any, folder: Path, __: Any, options: TuneOptions) -> Iterator[dict[str, float]]:
        done, wanted = examples_done(folder), options.steps * options.batch
        if wanted - done >= options.batch:
            torch.save({"done": wanted}, folder / "state.pt")
            yield {"examples": float(wanted)}

    monkeypatch.setattr(ct_run, "tune", tune)
    begin_run(folder, None, 8)
    (tmp_path / "split.json").write_text("{}")
    return folder


def test_scans_that_were_added_after_the_last_step_are_not_told_as_learnt(run: Path, prepared: Make) -> None:
    old = [prepared("a"), prepared("b")]
    assert len(list(learn(run, old, None, OPTIONS))) == 1
    assert list(learn(run, old, None, OPTIONS)) == []
    with pytest.raises(IntakeError, match=r"2 steps are done, none is left .* \(c\)\. Give more --steps than 2"):
        list(learn(run, [*old, prepared("c")], None, OPTIONS))
    with pytest.raises(IntakeError, match="marked anew"):
        list(learn(run, [prepared("a", marks="other"), prepared("b")], None, OPTIONS))
    assert set(learnt(run).scans) == {"a", "b"}
    assert list(learn(run, old, None, TuneOptions(steps=1, batch=3))) == []
    assert examples_done(run) == 6
    assert len(list(learn(run, [prepared("b"), prepared("c")], None, TuneOptions(steps=3, batch=3)))) == 1
    assert set(learnt(run).scans) == {"a", "b", "c"}


def test_a_run_begins_once(run: Path, prepared: Make) -> None:
    begin_run(run, None, 8)
    with pytest.raises(IntakeError, match="another width"):
        begin_run(run, None, 16)
    list(learn(run, [prepared("a")], None, OPTIONS))
    lacking: dict[str, Callable[[], object]] = {
        "learnt.json": lambda: learnt(run),
        "begun.json": lambda: begin_run(run, None, 8),
        "../split.json": lambda: begin_run(run, None, 8),
    }
    for name, look in lacking.items():
        kept = (run / name).read_text()
        (run / name).unlink()
        with pytest.raises(IntakeError, match=rf"without {Path(name).name}: it was removed, or an earlier version"):
            look()
        (run / name).write_text(kept)
    (run / "begun.json").write_text('{"start": "", "width": 8}')
    with pytest.raises(IntakeError, match=r"begun\.json is damaged or of an earlier version"):
        begin_run(run, None, 8)
