"""Edits of a CT Reading: what they touch is measured as the plan would have measured it."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from osteoscope.find.detection import Detection
from osteoscope.reading.plan import PLAN_NAMES
from osteoscope.reading.read import read
from osteoscope.simulate.ct import CtLesion, CtRecipe, CtSimulation, simulate_ct

Edit = dict[str, Any]
ANA = Person("Ana")
LESIONS = (CtLesion("vertebra_L2", "lytic", 20), CtLesion("vertebra_L4", "lytic", 16))


@pytest.fixture(scope="module")
def made() -> CtSimulation:
    return simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=(4.0, 2.5, 2.5), lesions=LESIONS), 5)


@pytest.fixture(scope="module")
def by_plan(made: CtSimulation) -> Callable[[Sequence[Finding]], Reading]:
    """What the plan says of these findings, bones as they are in truth."""

    def measure(findings: Sequence[Finding]) -> Reading:
        bare = tuple(replace(f, measures=()) for f in findings)
        plan = replace(
            PLAN_NAMES["ct-baseline"], map_sites=lambda _: made.mapped, detect=lambda *_: Detection(bare), limits=()
        )
        return read(made.study, plan).reading

    return measure


@pytest.fixture(scope="module")
def base(made: CtSimulation, by_plan: Callable[[Sequence[Finding]], Reading]) -> Reading:
    return by_plan(made.reading.findings)


@pytest.fixture(scope="module")
def ground(made: CtSimulation, base: Reading, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("views")
    write_views(made.study, folder)
    write_bone_index(Case(made.study, made.mapped), folder)
    return ground_of(base.study, folder, folder)


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


@pytest.mark.parametrize(
    "edits",
    [
        lambda lesion: [grown(lesion, 1)],
        lambda lesion: [{"op": "type", "finding": lesion.id, "type": "blastic"}],
        lambda lesion: [{"op": "remove", "finding": lesion.id}],
        lambda lesion: [
            {"op": "add_lesion", "position_mm": list(lesion.centre.position), "diameter_mm": 9.0, "type": "mixed"}
        ],
        lambda lesion: [grown(lesion, 2), {"op": "type", "finding": lesion.id, "type": "mixed"}],
    ],
    ids=["mask", "type", "remove", "add", "mask and type"],
)
def test_what_an_edit_touches_is_what_the_plan_measures(
    base: Reading,
    ground: Ground,
    by_plan: Callable[[Sequence[Finding]], Reading],
    edits: Callable[[Finding], list[Edit]],
) -> None:
    lesion = next(f for f in base.findings if f.site == "vertebra_L2")
    after = edited(base, edits(lesion), ANA, ground)
    wanted = by_plan(after.findings)
    assert after.gaps == wanted.gaps == ()
    for one in after.findings:
        fresh = next(f for f in wanted.findings if f.id == one.id)
        assert said(one.measures) == values(fresh.measures)
    for site in wanted.sites:
        mine = after.site(site.site)
        assert mine is not None
        assert (said(mine.measures), mine.evidence) == (values(site.measures), site.evidence)
    assert said(after.measures) == values(wanted.measures)
    assert after.measure("sins_at_least") is not None


def test_an_accepted_lesion_is_measured_as_it_was(base: Reading, ground: Ground) -> None:
    lesion = base.findings[0]
    after = edited(base, [{"op": "accept", "finding": lesion.id}], ANA, ground)
    assert (after.sites, after.measures, after.gaps) == (base.sites, base.measures, ())
    assert after.findings[0] == replace(lesion, confidence=1.0)


def test_without_the_ct_what_cannot_be_measured_is_a_gap(base: Reading) -> None:
    lesion = next(f for f in base.findings if f.site == "vertebra_L2")
    after = edited(base, [grown(lesion, 1)], ANA, Ground())
    assert [gap.step for gap in after.gaps if gap.where == "vertebra_L2"] == ["sins_at_least"]
    assert {m.name for m in after.measures} == {"lesion_count", "lesion_volume"}


def test_strength_stays_a_gap(base: Reading, ground: Ground) -> None:
    """It takes minutes, so that it is not measured at an edit."""
    strong = Measure("strength", 5000.0, "N", "finite elements")
    sites = tuple(replace(s, measures=(*s.measures, strong)) if s.site == "vertebra_L2" else s for s in base.sites)
    lesion = next(f for f in base.findings if f.site == "vertebra_L2")
    after = edited(replace(base, sites=sites), [grown(lesion, 1)], ANA, ground)
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
