"""What the report of a strength says first, and of which lesions it says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_vertebra import drum

from osteoscope.domain.image import Image
from osteoscope.domain.reading import Gap
from osteoscope.domain.study import Patient, Study
from osteoscope.fe.cases import CASES
from osteoscope.fe.density import Calibration
from osteoscope.fe.laws import law_for
from osteoscope.fe.mesh import Material
from osteoscope.fe.strength import strength
from osteoscope.fe.strength_record import Setting, Strength
from osteoscope.report.strength import Tried, build_strength

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")
BELOW = Gap("low", "strength_loss", "the lesion lies below the part that is modelled")


@pytest.fixture(scope="module")
def found() -> Strength:
    return strength(drum((0, 0)), Setting(CASES["compression"], Material(law_for("vertebra_L3"), FIXED), 6.0, 0.0))


def summary(found: Strength) -> str:
    study = Study("1.2", "ct", "", Patient("p"), {"ct": Image(found.bone.grid, found.bone.hu.astype(np.int16), "HU")})
    return " ".join(build_strength(study, [Tried(found, (), ())], []).summary)


def test_a_bone_without_lesions_says_so(found: Strength) -> None:
    assert "no lesion in it" in summary(found)


def test_a_lesion_that_is_not_in_the_model_is_named_and_never_denied(found: Strength) -> None:
    said = summary(replace(found, gaps=(*found.gaps, BELOW)))
    assert "no lesion" not in said
    assert "lesion low is not in the model (the lesion lies below" in said
    assert "says nothing of it" in said


def test_a_lesion_that_is_modelled_in_part_is_named(found: Strength) -> None:
    bone = replace(found.bone, lesions={"long": found.bone.mask})
    said = summary(replace(found, bone=bone, partly={"long": 0.5}))
    assert "no lesion" not in said
    assert "lesion long reaches beyond what is modelled" in said
