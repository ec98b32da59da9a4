"""What is said of both sides together, and of all uncertainties."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated_vertebra import drum

from osteoscope.deliver.strength import StrengthRequest, _how, _more
from osteoscope.deliver.strength_record import dominant
from osteoscope.fe.cases import CASES
from osteoscope.fe.density import OFFSET, SLOPE, Calibration, nominal
from osteoscope.fe.laws import law_for
from osteoscope.fe.mesh import Material
from osteoscope.fe.strength import strength
from osteoscope.fe.strength_record import Setting, Strength, Term
from osteoscope.reading.strength import BoneLoading

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")
REQUEST = StrengthRequest(("femur_left",), BoneLoading(landmarks={"radius": (24.0,)}))


@pytest.fixture(scope="module")
def sides() -> dict[str, Strength]:
    """Any bone, under the names of two."""
    found = strength(drum((0, 0)), Setting(CASES["compression"], Material(law_for("vertebra_L3"), FIXED), 6.0, 0.0))
    return {site: replace(found, site=site) for site in ("femur_left", "femur_right")}


def test_slope_and_offset_are_one_uncertainty_of_the_calibration() -> None:
    terms = tuple(Term(name, (0.0, wide), (0.0, 0.0)) for name, wide in ((SLOPE, 0.03), (OFFSET, 0.08), ("axis", 0.05)))
    assert dominant(terms) == "calibration"
    assert dominant(terms[::2]) == "axis"
    assert dominant(()) == ""


def calibrated(found: Strength, calibration: Calibration) -> Strength:
    material = replace(found.setting.material, calibration=calibration)
    return replace(found, setting=replace(found.setting, material=material))


def test_the_side_that_is_compared_with_is_calibrated_as_the_one_asked_for(sides: dict[str, Strength]) -> None:
    how = _how("femur_right", {"femur_left": sides["femur_left"]}, REQUEST)
    assert how.calibration == FIXED
    assert (how.interval, dict(how.landmarks)) == (False, {})
    assert _how("femur_left", {}, REQUEST) == REQUEST.how


def test_sides_that_are_alike_are_compared_and_models_of_two_lengths_told(sides: dict[str, Strength]) -> None:
    (ratio,), gaps = _more("femur_left", sides, REQUEST)
    assert ratio.value == pytest.approx(100)
    assert not gaps
    assert "models of" not in ratio.method
    longer = replace(sides["femur_left"], trial=replace(sides["femur_left"].trial, length=40.0))
    (ratio,), _ = _more("femur_left", sides | {"femur_left": longer}, REQUEST)
    assert "models of 40 and 26 mm" in ratio.method


@pytest.mark.parametrize("other", [nominal(), replace(FIXED, slope=0.85e-3), replace(FIXED, phantom="HA")])
def test_sides_that_are_calibrated_otherwise_are_not_compared(sides: dict[str, Strength], other: Calibration) -> None:
    measures, (gap,) = _more("femur_left", sides | {"femur_right": calibrated(sides["femur_right"], other)}, REQUEST)
    assert measures == ()
    assert (gap.where, gap.step) == ("femur_left", "strength_of_other_side")
    assert "calibrated otherwise" in gap.reason
