"""HU of a lesion against its bone, and its contact with cortex."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding, Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite
from osteoscope.domain.study import Patient, Study
from osteoscope.measure.intensity import attenuation, cortical_contact, healthy_marrow

GRID = Grid.axial((24, 40, 40), (1.5, 1.0, 1.0))
BOX = (slice(3, 21), slice(5, 35), slice(5, 35))
MARROW, LESION, CORTEX = 200, 60, 900


def block(*slices: slice) -> NDArray[np.bool_]:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[slices] = True
    return mask


def case_with(lesion: NDArray[np.bool_], mapped: bool = True) -> tuple[Case, Finding]:
    bone = block(*BOX)
    hu = np.full(GRID.shape, 40, dtype=np.int16)
    hu[bone] = CORTEX
    hu[block(slice(5, 19), slice(7, 33), slice(7, 33))] = MARROW
    hu[lesion] = LESION
    part = Part.from_mask("ct", lesion)
    finding = Finding("f", "hip_left", "lytic", 0.5, Region((part,)), Point.centre_of(part, GRID))
    places = (MappedSite("hip_left", Region((Part.from_mask("ct", bone),))),) if mapped else ()
    study = Study("1.2", "ct", "", Patient("p"), {"ct": Image(GRID, hu, "HU")})
    return Case(study, places, (finding,)), finding


def named(measures: tuple[Measure, ...]) -> dict[str, Measure]:
    return {m.name: m for m in measures}


def test_contrast_is_against_the_marrow_and_not_the_cortex() -> None:
    got = named(attenuation(*case_with(block(slice(9, 14), slice(15, 24), slice(15, 24)))))
    assert got["hu_mean"].value == LESION
    assert got["hu_sd"].value == 0
    assert got["hu_contrast"].value == pytest.approx(LESION - MARROW)
    assert got["hu_mean"].interval is not None
    assert got["hu_mean"].interval[1] > LESION, "a larger boundary takes in marrow"
    assert {m.unit for m in got.values()} == {"[hnsf'U]"}


def test_no_other_lesion_of_the_bone_is_taken_for_its_marrow() -> None:
    case, finding = case_with(block(slice(9, 14), slice(15, 24), slice(15, 24)))
    other = block(slice(6, 18), slice(25, 32), slice(8, 32))
    values = np.where(other, 900, case.study.images["ct"].values)
    case = replace(case, study=replace(case.study, images={"ct": Image(GRID, values.astype(np.int16), "HU")}))
    part = Part.from_mask("ct", other)
    beside = Finding("g", "hip_left", "blastic", 0.5, Region((part,)), Point.centre_of(part, GRID))
    marrow = healthy_marrow(replace(case, findings=(finding, beside)), finding)
    assert marrow is not None
    assert set(marrow) == {MARROW}
    alone = healthy_marrow(case, finding)
    assert alone is not None
    assert 900 in alone


def test_contact_is_none_in_the_middle_and_partial_at_the_edge() -> None:
    inside = named(cortical_contact(*case_with(block(slice(10, 14), slice(15, 24), slice(15, 24)))))
    at_edge = named(cortical_contact(*case_with(block(slice(10, 14), slice(5, 15), slice(15, 24)))))
    assert inside["cortical_contact"].value == 0
    assert 0.1 < at_edge["cortical_contact"].value < 0.6
    assert at_edge["cortical_contact"].interval is not None


def test_a_lesion_that_fills_its_bone_is_in_contact_all_over() -> None:
    got = named(cortical_contact(*case_with(block(*BOX))))
    assert got["cortical_contact"].value == 1


def test_without_its_bone_only_the_lesion_is_described() -> None:
    case, finding = case_with(block(slice(10, 14), slice(15, 24), slice(15, 24)), mapped=False)
    assert "hu_contrast" not in named(attenuation(case, finding))
    assert cortical_contact(case, finding) == ()
