from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scans import SPACING, box, findings, lesions, scan
from scipy.spatial.distance import cdist

from osteoscope.domain.finding import Part
from osteoscope.stats.detection import CRITERIA, Criterion
from osteoscope.stats.detection_scan import Lesion, count_only
from osteoscope.stats.detection_surface import surface_distances

ANY, LOOSE, HALF = CRITERIA


def test_half_is_enough_where_half_is_asked() -> None:
    found = np.array([0.0, 0.1, 0.11, 0.5])
    assert ANY.met(found).tolist() == [False, True, True, True]
    assert LOOSE.met(found).tolist() == [False, False, True, True]
    assert HALF.met(found).tolist() == [False, False, False, True]


def test_a_finding_gives_way_where_more_lesions_are_found_by_it() -> None:
    wide = box(2, 0.9, 8)
    narrow = box(2, 0.5, 2)
    one = count_only(scan([box(0), box(8)], [wide, narrow]), 5)
    assert one.gains(ANY).tolist() == [True, True]
    assert len(one.matching(ANY, 0.0).pairs) == 2


def test_small_lesions_are_neither_hit_nor_missed() -> None:
    small = replace(box(20), long_axis_mm=4.9)
    one = count_only(scan([box(0), small], [box(0, 0.9), box(20, 0.8), box(40, 0.7)]), 5.0)
    assert [lesion.region for lesion in one.lesions] == [box(0).region]
    assert [finding.confidence for finding in one.findings] == [0.9, 0.7]
    assert [finding.confidence for finding in one.left_out] == [0.8]
    everything = count_only(one.scan, 0.0)
    assert (len(everything.lesions), len(everything.findings), everything.left_out) == (2, 3, ())


def test_a_finding_on_a_small_and_a_counted_lesion_counts() -> None:
    small = replace(box(6), long_axis_mm=2.0)
    one = count_only(scan([box(0), small], [box(2, 0.9, 5)]), 5.0)
    assert one.gains(ANY).tolist() == [True]
    assert one.left_out == ()


@given(st.lists(lesions, max_size=5), st.lists(findings, max_size=6), st.sampled_from(CRITERIA))
def test_gains_are_the_most_pairs_of_every_threshold(
    reference: list[Lesion], found: list[Lesion], criterion: Criterion
) -> None:
    one = count_only(scan(reference, found), 5.0)
    gains = one.gains(criterion)
    for threshold in (0.2, 0.4, 0.9):
        matching = one.matching(criterion, threshold)
        used = one.confidences >= threshold
        assert len(matching.pairs) == gains[used].sum()
        assert len({r for r, _, _ in matching.pairs}) == len({c for _, c, _ in matching.pairs}) == len(matching.pairs)
        assert len(matching.surplus) == (~gains[used]).sum()


def test_surfaces_of_shifted_boxes() -> None:
    a, b = box(0).region.parts[0], box(3).region.parts[0]
    assert surface_distances(a, a, SPACING) == (0.0, 0.0)
    mean, hd95 = surface_distances(a, b, SPACING)
    assert hd95 == 6.0
    assert 0 < mean < 6.0


@settings(max_examples=40)
@given(lesions, findings, st.integers(0, 3))
def test_surface_distances_are_those_of_all_pairs_of_surface_voxels(a: Lesion, b: Lesion, aside: int) -> None:
    first = a.region.parts[0]
    second = b.region.parts[0]
    second = Part("ct", (second.offset[0], aside, 1), second.mask)
    points = []
    for part in (first, second):
        inside = np.zeros(part.mask.shape, dtype=bool)
        inside[1:-1, 1:-1, 1:-1] = True
        points.append((np.argwhere(part.mask & ~inside) + part.offset) * SPACING)
    apart = cdist(*points)
    there, back = apart.min(axis=1), apart.min(axis=0)
    mean, hd95 = surface_distances(first, second, SPACING)
    assert mean == pytest.approx(np.concatenate([there, back]).mean(), abs=1e-4)
    assert hd95 == pytest.approx(max(np.quantile(there, 0.95), np.quantile(back, 0.95)), abs=1e-4)
