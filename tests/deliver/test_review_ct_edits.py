"""Edits of a CT Reading: what they touch is measured as the plan would have measured it."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from osteoscope.deliver.review.draft import Ground
from osteoscope.deliver.review.edits import Person, edited
from osteoscope.deliver.review.ground import ground_of, write_bone_index
from osteoscope.deliver.review.preview import block_any, block_means, coarser
from osteoscope.deliver.review.views import write_views
from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case, Reading
from osteoscope.reading.ct_plans import CT_BASELINE
from osteoscope.reading.known import read_known
from osteoscope.simulate.ct import CtLesion, CtRecipe, CtSimulation, simulate_ct

Edit = dict[str, Any]
ANA = Person("Ana")


@dataclass(frozen=True, eq=False)
class Scene:
    """A simulated CT whose lesions and bones are as they are in truth; what the plan reads; the ground of edits."""

    made: CtSimulation
    base: Reading
    ground: Ground

    def by_plan(self, findings: Sequence[Finding]) -> Reading:
        """What the plan says of these findings."""
        return _by_plan(self.made, findings)

    def lesion(self, site: str) -> Finding:
        return next(f for f in self.base.findings if f.site == site)


def _by_plan(made: CtSimulation, findings: Sequence[Finding]) -> Reading:
    return read_known(made.study, made.mapped, findings, replace(CT_BASELINE, limits=()))


def scene(recipe: CtRecipe, folder: Path) -> Scene:
    made = simulate_ct(recipe, 5)
    write_views(made.study, folder)
    write_bone_index(Case(made.study, made.mapped), folder)
    base = _by_plan(made, made.reading.findings)
    return Scene(made, base, ground_of(base.study, folder, folder))


@pytest.fixture(scope="module")
def spine(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    lesions = (CtLesion("vertebra_L2", "lytic", 20), CtLesion("vertebra_L4", "lytic", 16))
    recipe = CtRecipe(coverage="lumbar", spacing_mm=(4.0, 2.5, 2.5), lesions=lesions)
    return scene(recipe, tmp_path_factory.mktemp("spine"))


@pytest.fixture(scope="module")
def legs(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    lesions = (CtLesion("femur_left", "lytic", 14), CtLesion("femur_right", "lytic", 18))
    recipe = CtRecipe(coverage="femurs", spacing_mm=(6.0, 3.0, 3.0), lesions=lesions)
    return scene(recipe, tmp_path_factory.mktemp("legs"))


def grown(finding: Finding, by: int) -> Edit:
    part = finding.region.parts[0]
    mask = ndimage.binary_dilation(np.pad(part.mask, by), iterations=by)
    box = [[o - by, o + n + by] for o, n in zip(part.offset, part.mask.shape, strict=True)]
    packed = base64.b64encode(gzip.compress(mask.astype(np.uint8).tobytes())).decode()
    return {"op": "mask", "finding": finding.id, "mask": packed, "box": box}


def values(measures: Sequence[Measure]) -> dict[str, Any]:
    return {m.name: (pytest.approx(m.value, abs=1e-6), m.method) for m in measures}


def said(measures: Sequence[Measure]) -> dict[str, Any]:
    return {m.name: (m.value, m.method) for m in measures}


EDITS: dict[str, Callable[[Finding], list[Edit]]] = {
    "mask": lambda lesion: [grown(lesion, 1)],
    "type": lambda lesion: [{"op": "type", "finding": lesion.id, "type": "blastic"}],
    "remove": lambda lesion: [{"op": "remove", "finding": lesion.id}],
    "add": lambda lesion: [
        {"op": "add_lesion", "position_mm": list(lesion.centre.position), "diameter_mm": 9.0, "type": "mixed"}
    ],
    "add, into other bones": lambda lesion: [
        {"op": "add_lesion", "position_mm": list(lesion.centre.position), "diameter_mm": 90.0, "type": "mixed"}
    ],
    "mask and type": lambda lesion: [grown(lesion, 2), {"op": "type", "finding": lesion.id, "type": "mixed"}],
}


@pytest.mark.parametrize("edits", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize(
    ("where", "site", "score"),
    [("spine", "vertebra_L2", "sins_at_least"), ("legs", "femur_right", "mirels_at_least")],
    ids=["vertebra", "femur"],
)
def test_what_an_edit_touches_is_what_the_plan_measures(
    request: pytest.FixtureRequest, where: str, site: str, score: str, edits: Callable[[Finding], list[Edit]]
) -> None:
    scene: Scene = request.getfixturevalue(where)
    after = edited(scene.base, edits(scene.lesion(site)), ANA, scene.ground)
    wanted = scene.by_plan(after.findings)
    assert after.gaps == wanted.gaps == ()
    for one in after.findings:
        fresh = next(f for f in wanted.findings if f.id == one.id)
        assert said(one.measures) == values(fresh.measures)
    for read_again in wanted.sites:
        mine = after.site(read_again.site)
        assert mine is not None
        assert (said(mine.measures), mine.evidence) == (values(read_again.measures), read_again.evidence)
    assert said(after.measures) == values(wanted.measures)
    assert after.measure(score) is not None


def test_mirels_points_follow_the_size_and_the_type_of_an_edited_lesion(legs: Scene) -> None:
    lesion = legs.lesion("femur_right")
    grid = legs.made.study.images["ct"].grid
    middle = np.round(grid.to_index(np.asarray(lesion.centre.position))).astype(int).tolist()
    one = base64.b64encode(gzip.compress(b"\x01")).decode()
    small = {"op": "mask", "finding": lesion.id, "mask": one, "box": [[i, i + 1] for i in middle]}
    blastic = {"op": "type", "finding": lesion.id, "type": "blastic"}

    def points(*edits: Edit) -> list[str]:
        site = edited(legs.base, edits, ANA, legs.ground).site("femur_right")
        score = site.measure("mirels_at_least") if site else None
        assert score is not None
        return re.findall(r"(?:type|size) [1-3](?:-[1-3])?", score.method)

    assert points() == ["type 1-3", "size 2-3"]
    assert points(small) == ["type 2-3", "size 1"]
    assert points(grown(lesion, 4))[1] == "size 3"
    assert points(blastic) == ["type 1-2", "size 2-3"]


def test_an_accepted_lesion_is_measured_as_it_was(spine: Scene) -> None:
    lesion = spine.base.findings[0]
    after = edited(spine.base, [{"op": "accept", "finding": lesion.id}], ANA, spine.ground)
    assert (after.sites, after.measures, after.gaps) == (spine.base.sites, spine.base.measures, ())
    assert after.findings[0] == replace(lesion, confidence=1.0)


def test_without_the_ct_what_cannot_be_measured_is_a_gap(spine: Scene) -> None:
    after = edited(spine.base, [grown(spine.lesion("vertebra_L2"), 1)], ANA, Ground())
    assert [gap.step for gap in after.gaps if gap.where == "vertebra_L2"] == ["sins_at_least"]
    assert {m.name for m in after.measures} == {"lesion_count", "lesion_volume"}


def test_strength_stays_a_gap(spine: Scene) -> None:
    """It takes minutes, so that it is not measured at an edit."""
    strong = Measure("strength", 5000.0, "N", "finite elements")
    sites = tuple(
        replace(s, measures=(*s.measures, strong)) if s.site == "vertebra_L2" else s for s in spine.base.sites
    )
    base = replace(spine.base, sites=sites)
    after = edited(base, [grown(spine.lesion("vertebra_L2"), 1)], ANA, spine.ground)
    assert [(gap.where, gap.step) for gap in after.gaps] == [("vertebra_L2", "strength")]


@pytest.mark.parametrize(("shape", "factor"), [((5, 7, 9), 2), ((4, 6, 9), 3), ((3, 3, 3), 1)])
def test_blocks_are_means_at_the_middle_of_their_voxels(shape: tuple[int, ...], factor: int) -> None:
    grid = Grid.axial(shape, (3.0, 2.0, 1.0))
    positions = grid.to_position(np.moveaxis(np.indices(shape), 0, -1))
    values = np.rint(positions[..., 0] * 100).astype(np.int16)
    means, blocks = block_means(values, factor), coarser(grid, factor)
    whole = tuple(size // factor for size in shape)
    inside = np.moveaxis(np.indices(whole), 0, -1)
    assert means.shape == blocks.shape
    assert means[tuple(slice(n) for n in whole)] == pytest.approx(blocks.to_position(inside)[..., 0] * 100, abs=1)
    assert means[-1, -1, -1] == pytest.approx(
        values[
            tuple(slice(factor * (n // factor), None) if n % factor else slice(n - factor, None) for n in shape)
        ].mean(),
        abs=0.6,
    )
    one = np.zeros(shape, dtype=bool)
    one[-1, 0, 0] = True
    assert np.argwhere(block_any(one, factor)).tolist() == [[blocks.shape[0] - 1, 0, 0]]
