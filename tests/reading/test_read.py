from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain import anatomy
from osteoscope.domain.finding import Finding, Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite, Reading
from osteoscope.domain.study import Acquisition, Patient, Source, Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.detection import Detection
from osteoscope.find.model import is_shipped
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.reading.ct_plans import CT_BASELINE
from osteoscope.reading.plan import Plan
from osteoscope.reading.plan_table import PLANS, plan_for
from osteoscope.reading.planar_plans import choices, scored_by
from osteoscope.reading.read import STEPS, read

GRID = Grid.axial((4, 6, 6), (2, 1, 1))


def region(*box: tuple[int, int]) -> Region:
    mask = np.zeros(GRID.shape, bool)
    mask[tuple(slice(*b) for b in box)] = True
    return Region((Part.from_mask("ct", mask),))


LEFT, RIGHT = region((0, 4), (0, 6), (3, 6)), region((0, 4), (0, 6), (0, 2))


def ct_study() -> Study:
    image = Image(GRID, np.zeros(GRID.shape, np.int16), "HU")
    sources = tuple(Source(f"{n}.dcm", "ab", path=__file__, image="ct", index=n) for n in range(4))  # type: ignore[arg-type]
    return Study("1.2.3", "ct", "2026-01-01", Patient("p"), {"ct": image}, sources=sources)


def planar_study(tracer: str = "", radionuclide: str = "") -> Study:
    image = Image(Grid.planar((64, 32), (2.4, 2.4), "anterior"), np.ones((64, 32), np.int32), "counts")
    made = Acquisition(tracer=tracer, radionuclide=radionuclide)
    return Study("1.2.4", "nm-planar", "", Patient("p"), {"anterior": image}, made)


def finding(number: int, site: str, where: Region) -> Finding:
    return Finding(f"f{number}", site, "lytic", 0.5, where, Point.centre_of(where.parts[0], GRID))


def elements(case: Case, found: Finding) -> tuple[Measure, ...]:
    assert case.findings
    return (Measure("elements", found.region.size, "1", "count"),)


def fails_on_the_left(case: Case, site: str) -> tuple[Measure, ...]:
    if site == "femur_left":
        raise ZeroDivisionError("no marrow")
    return (Measure("lesions", sum(f.site == site for f in case.findings), "{count}", "count"),)


def total(case: Case) -> tuple[Measure, ...]:
    known = [m for s in case.sites if (m := s.measure("lesions"))]
    return (Measure("total", sum(m.value for m in known), "{count}", "sum over sites"),)


PLAN = Plan(
    name="toy",
    suits=lambda _: True,
    map_sites=lambda _: (
        MappedSite("femur_left", LEFT),
        MappedSite("femur_right", RIGHT, confidence=0.6, notes=("level uncertain",)),
        MappedSite("skull", None, "not_acquired"),
    ),
    reported=lambda sites: {m.site: (m.site,) for m in sites},
    detect=lambda *_: Detection((finding(1, "femur_left", LEFT), finding(2, "femur_right", RIGHT))),
    of_finding=(elements,),
    of_site=(fails_on_the_left,),
    of_study=(total,),
)


def test_five_steps_make_a_reading() -> None:
    told: list[str] = []
    outcome = read(ct_study(), PLAN, lambda step, *_: told.append(step))
    reading = outcome.reading
    assert told == [*STEPS, "done"]
    assert [f.measures[0].value for f in reading.findings] == [4 * 6 * 3, 4 * 6 * 2]
    right = reading.site("femur_right")
    assert right is not None
    assert (right.evidence, right.confidence, right.notes) == (("f2",), 0.6, ("level uncertain",))
    assert reading.measure("total") == Measure("total", 1, "{count}", "sum over sites")
    assert [i.file for i in reading.provenance.inputs] == ["0.dcm", "1.dcm", "2.dcm", "3.dcm"]
    assert outcome.case.findings == reading.findings


def test_a_step_that_fails_on_one_site_becomes_a_gap() -> None:
    reading = read(ct_study(), PLAN).reading
    (gap,) = reading.gaps
    assert (gap.where, gap.step, gap.reason) == ("femur_left", "fails_on_the_left", "ZeroDivisionError: no marrow")
    left = reading.site("femur_left")
    assert left is not None
    assert left.measures == ()


def test_a_site_out_of_the_field_has_no_measure_and_no_zero() -> None:
    skull = read(ct_study(), PLAN).reading.site("skull")
    assert skull is not None
    assert (skull.status, skull.measures) == ("not_acquired", ())


def test_a_failing_site_map_leaves_a_reading_that_says_so() -> None:
    def fail(_: Study) -> tuple[MappedSite, ...]:
        raise UnsuitableStudyError("map sites", "an empty image", "Send counts")

    plan = replace(PLAN, map_sites=fail, reported=lambda _: {"pelvis": ("pelvis",)}, detect=lambda *_: Detection(()))
    reading = read(ct_study(), plan).reading
    assert [gap.step for gap in reading.gaps] == ["sites"]
    assert [(s.site, s.status) for s in reading.sites] == [("pelvis", "not_assessable")]


def test_nothing_mapped_is_a_gap_and_no_count_of_zero() -> None:
    plan = replace(PLAN, map_sites=lambda _: (), detect=lambda *_: Detection(()), of_study=CT_BASELINE.of_study)
    reading = read(ct_study(), plan).reading
    assert [(gap.where, gap.step) for gap in reading.gaps] == [("study", "sites")]
    assert "no part of the skeleton was found" in reading.gaps[0].reason
    assert reading.unsearched == reading.gaps
    assert reading.measures == ()


def test_a_failing_search_leaves_no_site_assessed_and_no_count_of_zero() -> None:
    def fail(*_: object) -> Detection:
        raise MemoryError("3 GiB")

    ct = CT_BASELINE
    reading = read(ct_study(), replace(PLAN, detect=fail, of_site=ct.of_site, of_study=ct.of_study)).reading
    assert [gap.reason for gap in reading.unsearched] == ["MemoryError: 3 GiB"]
    assert reading.gaps == reading.unsearched
    assert {s.site: s.status for s in reading.sites} == {
        "femur_left": "not_assessable", "femur_right": "not_assessable", "skull": "not_acquired",
    }  # fmt: skip
    assert [measure for s in reading.sites for measure in s.measures] == []
    assert reading.measures == ()
    right = reading.site("femur_right")
    assert right is not None
    assert right.notes == ("level uncertain", "lesions could not be looked for")


def test_a_failing_search_leaves_no_planar_segment_a_level() -> None:
    def fail(*_: object) -> Detection:
        raise MemoryError("3 GiB")

    child = planar_study("mIBG")
    spine = MappedSite("lumbar_spine", Region((Part.from_mask("anterior", _rows(0, 20)),)))
    reading = read(child, replace(plan_for(child), map_sites=lambda _: (spine,), detect=fail, models=tuple)).reading
    assert {s.status for s in reading.sites} == {"not_assessable"}
    assert reading.measures == ()


def test_findings_of_unmapped_bone_are_a_statement() -> None:
    reading = read(ct_study(), replace(PLAN, map_sites=lambda _: ())).reading
    assert len(reading.findings) == 2
    assert reading.unsearched == ()


def test_a_segment_of_several_units_is_assessed_in_part() -> None:
    units = (MappedSite("lumbar_spine", LEFT), MappedSite("sacrum", None, "not_acquired"))
    plan = replace(PLAN, map_sites=lambda _: units, reported=lambda _: {"spine": ("lumbar_spine", "sacrum")})
    plan = replace(plan, detect=lambda *_: Detection(()), of_site=())
    spine = read(ct_study(), plan).reading.site("spine")
    assert spine is not None
    assert (spine.status, spine.notes) == ("assessed", ("sacrum: not acquired",))


@pytest.mark.parametrize(
    ("study", "name"),
    [
        (ct_study(), "ct" if is_shipped("ct_lesions") else "ct-baseline"),
        (planar_study("mIBG", "I-123"), "mibg-planar"),
        (planar_study("", "I-123"), "mibg-planar, tracer not confirmed"),
        (planar_study("bone agent", "Tc-99m"), "planar-not-scored"),
        (planar_study(), "planar-not-scored"),
    ],
)
def test_the_table_picks_the_row(study: Study, name: str) -> None:
    assert plan_for(study).name == name


def test_the_classical_ct_plan_can_always_be_asked_for() -> None:
    assert plan_for(ct_study(), baseline=True).name == "ct-baseline"


def test_reported_segments_of_the_scored_plan_are_both_schemes() -> None:
    plan = next(p for p in PLANS if p.name == "mibg-planar")
    reported = plan.reported(())
    assert set(reported) == set(anatomy.SIOPEN) | set(anatomy.CURIE)
    assert reported["spine"] == ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum")


def test_choices_of_scoring_reach_the_levels_and_are_kept_with_the_reading() -> None:
    child = planar_study("mIBG")
    found = tuple(
        MappedSite(unit, Region((Part.from_mask("anterior", mask),)))
        for unit, mask in (("lumbar_spine", _rows(0, 20)), ("sacrum", _rows(20, 30)), ("pelvis", _rows(30, 40)))
    )
    patch = Region((Part.from_mask("anterior", _rows(20, 30)),))
    centre = Point.centre_of(patch.parts[0], child.images["anterior"].grid)
    plan = replace(
        plan_for(child),
        map_sites=lambda _: found,
        detect=lambda *_: Detection((Finding("f1", "sacrum", "diffuse", 0.9, patch, centre),)),
        of_finding=(),
        models=tuple,
    )
    usual = read(child, scored_by(plan, ["level=counted"])).reading
    moved = read(child, scored_by(plan, ["level=counted", "sacrum=pelvis", "half_reaches_5=false"])).reading
    assert (_level(usual, "spine"), _level(usual, "pelvis")) == (4, 0)
    assert (_level(moved, "spine"), _level(moved, "pelvis")) == (0, 4)
    assert usual.provenance.settings["sacrum"] == "spine"
    assert moved.provenance.settings["sacrum"] == "pelvis"
    assert moved.provenance.settings["half_reaches_5"] == "false"
    assert not [gap for gap in moved.gaps if gap.step not in {"score", "quality"}]


def test_what_the_network_finds_gets_the_likeliest_level_and_other_choices_leave_it_so() -> None:
    plan = plan_for(planar_study("mIBG"))
    assert choices(plan) == ScoreOptions(level="likeliest", together=1.0)
    moved = choices(scored_by(plan, ["sacrum=pelvis"]))
    assert moved == ScoreOptions(sacrum="pelvis", level="likeliest", together=1.0)
    assert [m.name for m in plan.models()] == ["mibg_planar", "mibg_levels"]
    assert [m.name for m in scored_by(plan, ["level=counted"]).models()] == ["mibg_planar"]


def test_what_the_classical_finder_finds_is_counted() -> None:
    plan = plan_for(planar_study("mIBG"), baseline=True)
    assert choices(plan) == ScoreOptions()
    assert plan.models() == ()


def _rows(first: int, last: int) -> NDArray[np.bool_]:
    mask = np.zeros((64, 32), bool)
    mask[first:last] = True
    return mask


def _level(reading: Reading, segment: str) -> float:
    site = next(s for s in reading.sites if s.site == segment)
    measure = site.measure("siopen")
    assert measure is not None
    return measure.value
