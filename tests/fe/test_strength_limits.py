"""What a test of strength does not give, or of a part alone: intervals, lesions beyond the model, loose pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulated_bones import femur
from simulated_vertebra import drum

from osteoscope.deliver.strength_record import record_of
from osteoscope.errors import NotConvergedError, UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.cases import CASES
from osteoscope.fe.density import Calibration
from osteoscope.fe.export import write_inp
from osteoscope.fe.landmarks_femur import femur_marks
from osteoscope.fe.laws import law_for
from osteoscope.fe.mesh import Material
from osteoscope.fe.plastic import PushOptions, push
from osteoscope.fe.strength import strength
from osteoscope.fe.strength_record import Setting
from osteoscope.fe.whole_section import refuse_whole_section_outside

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")


def pressed(element_mm: float, interval_mm: float = 0.0) -> Setting:
    return Setting(CASES["compression"], Material(law_for("vertebra_L3"), FIXED), element_mm, interval_mm, 70.0)


def balls(**of: tuple[tuple[float, float, float], float]) -> Bone:
    """A drum with lytic balls: id -> (centre in LPS mm, diameter in mm)."""
    bone = drum((0, 0))
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    lesions = {n: (np.linalg.norm(places - at, axis=-1) <= wide / 2) & bone.mask for n, (at, wide) in of.items()}
    return replace(bone, hu=np.where(np.any([*lesions.values()], axis=0), np.float32(40), bone.hu), lesions=lesions)


def test_the_interval_of_all_lesions_is_not_given_for_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """What moves a large one would be told of a small one that costs nothing."""
    monkeypatch.setattr("osteoscope.fe.interval.TILT_DEGREES", 0.0)
    found = strength(balls(large=((0, -4, 0), 16.0), small=((0, 38, 0), 8.0)), pressed(6.0, 6.0))
    loss = found.measure("strength_loss")
    assert loss is not None
    assert loss.interval is not None
    losses = [next(m for m in cost.measures if m.name == "strength_loss") for cost in found.lesions]
    assert [m.interval for m in losses] == [None, None]
    assert all("all lesions together" in m.method for m in losses)


def test_an_interval_of_which_a_move_fails_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = []

    def pushed(model: Any, supports: Any, options: PushOptions | None = None) -> Any:
        coarse.append(options)
        if sum(one is not None for one in coarse) == 7:  # of the bone and its twin: as they are, two of the slope, mask
            raise NotConvergedError("push", "a residual of 0.1", "Check the mask")
        return push(model, supports, options)

    monkeypatch.setattr("osteoscope.fe.strength.push", pushed)
    found = strength(balls(ball=((0, -4, 0), 20.0)), pressed(6.0, 6.0))
    assert found.terms == ()
    assert [m.interval for m in found.measures] == [None] * len(found.measures)
    assert [(gap.where, gap.step) for gap in found.gaps] == [("vertebra_L3", "interval, mask")]
    assert "too narrow" in found.gaps[0].reason


def test_the_part_of_a_lesion_that_is_modelled_is_tested() -> None:
    bone = femur({"low": ((108.0, -34.0, -318.0), 50.0), "far": ((110.0, -34.0, -345.0), 12.0)})
    found = strength(bone, Setting(CASES["stance"], Material(law_for("femur_left"), FIXED), 6.0, 0.0))
    assert [cost.lesion for cost in found.lesions] == ["low"]
    assert [gap.where for gap in found.left_out] == ["far"]
    assert found.partly.keys() == {"low"}
    assert any("of lesion low lies within what is modelled" in note for note in found.notes)
    assert "of which a part is modelled" in found.lesions[0].measures[0].method


def test_a_lesion_through_the_whole_shaft_below_the_model_is_refused() -> None:
    bone = femur()
    axis = femur_marks(bone).axis
    low = (
        bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1)) @ axis
        < (bone.positions @ axis).min() + 9
    )
    half = low & (np.arange(bone.mask.shape[2]) > 36)
    for name, mask in (("whole", low & bone.mask), ("half", half & bone.mask)):
        sick = replace(bone, lesions={name: mask})
        if name == "half":
            refuse_whole_section_outside(sick, {"half"}, axis)
        else:
            with pytest.raises(UnsuitableStudyError, match="below what is modelled"):
                refuse_whole_section_outside(sick, {"whole"}, axis)


def test_elements_that_nothing_holds_are_in_no_result(tmp_path: Path) -> None:
    bone = drum((0, 0))
    mask = bone.mask.copy()
    mask[:6, 68:76, 2:10] = True
    loose = replace(bone, mask=mask, hu=np.where(mask, np.float32(250), bone.hu))
    found = strength(loose, pressed(4.0))
    assert any("no support holds were left out" in note for note in found.notes)
    solved = int(np.count_nonzero(found.curve.last.model.modulus))
    assert record_of(found).elements == solved < int(np.count_nonzero(found.trial.mesh.modulus + found.trial.caps))
    write_inp(found.trial, 0.3, tmp_path / "a.inp")
    lines = (tmp_path / "a.inp").read_text(encoding="ascii").splitlines()
    first = lines.index("*ELEMENT, TYPE=C3D8I, ELSET=BONE") + 1
    assert next(n for n, line in enumerate(lines[first:]) if line.startswith("*")) == solved
