"""Scans of one patient are found by all that is known of them; one scan given twice is used never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.deliver.ct_patients import Whose, connected, digest_of, doubles, patients_of, plain
from osteoscope.deliver.ct_prepared import Prepared
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image

Make = Callable[..., Prepared]


def whose(make: Make, *cases: tuple[str, ...]) -> list[Whose]:
    return [make(*case).whose for case in cases]


# Cases as (name, said, header), and those that are one patient.
JOINED = {
    "header": ([("a", "P1", "777"), ("b", "P2", "777"), ("c", "P3", "778")], ["ab", "c"]),
    "spelling": ([("a", "P1", ""), ("b", "p1 ", ""), ("c", "P 1", ""), ("d", "P_1", "")], ["ab", "cd"]),
    "one name": ([("a", "P1", "777"), ("b", "P1", "778")], ["ab"]),
    "chain": ([("a", "P1", "777"), ("b", "P1", "778"), ("c", "P2", "778")], ["abc"]),
    "said elsewhere": ([("a", "777", ""), ("b", "", "777"), ("c", "", "")], ["ab", "c"]),
    "nobody": ([("a", "P1", "ANON"), ("b", "P2", "ANON"), ("c", "P3", "0000")], ["a", "b", "c"]),
    "nobody at all": ([("a", "", "Anonymous"), ("b", "", "Anonymous")], ["ab"]),
    "nameless": ([("a", "", ""), ("b", "", "")], ["a", "b"]),
}


@pytest.mark.parametrize("case", JOINED)
def test_scans_of_one_patient_are_joined(prepared: Make, case: str) -> None:
    given_, wanted = JOINED[case]
    found = patients_of(whose(prepared, *given_))
    groups: dict[str, str] = {}
    for name, patient in found.of.items():
        groups[patient] = groups.get(patient, "") + name
    assert sorted(groups.values()) == wanted


def test_what_joins_patients_is_said(prepared: Make) -> None:
    (apart,) = patients_of(whose(prepared, ("a", "P1_base", "777"), ("b", "P1_fu", "777"))).problems
    assert "'P1_base', 'P1_fu' are taken for one patient" in apart.found
    (several,) = patients_of(whose(prepared, ("a", "Smith", "1"), ("b", "Smith", "2"))).problems
    assert "patient 'Smith' has CTs whose headers say '1', '2'" in several.found
    assert not apart.lost
    assert not several.lost
    assert patients_of(whose(prepared, ("a", "", "777"), ("b", "", "777"), ("c", "P1", "1"))).problems == ()


def test_a_ct_that_is_there_twice_is_told_with_both_names(prepared: Make) -> None:
    twice = doubles([prepared(name, ct=ct).whose for name, ct in (("a", "x"), ("b", "y"), ("c", "x"))])
    assert sorted(twice) == ["a", "c"]
    assert "case a has the same CT as c; none of them is used" in twice["a"].found
    assert all(problem.lost for problem in twice.values())


def test_a_ct_is_known_again_from_another_format() -> None:
    values = np.random.default_rng(0).integers(-1000, 1000, (4, 5, 6)).astype(np.int16)
    grid = Grid.axial((4, 5, 6), (3, 2, 2), (5, 6, 7))
    image = Image(grid, values, "HU")
    flip = np.eye(4)
    flip[1, 1], flip[1, 3] = -1, 4
    turned = Image(Grid.from_matrix((4, 5, 6), grid.matrix @ flip), np.ascontiguousarray(values[:, ::-1]), "HU")
    order = [1, 0, 2, 3]
    sagittal = Image(Grid.from_matrix((5, 4, 6), grid.matrix[:, order]), values.transpose(1, 0, 2), "HU")
    assert {digest_of(one) for one in (image, turned, sagittal)} == {digest_of(image)}
    mirrored = Image(grid, np.ascontiguousarray(values[..., ::-1]), "HU")
    assert digest_of(mirrored) != digest_of(image)
    assert digest_of(replace(image, values=values + np.int16(1))) != digest_of(image)


@given(st.dictionaries(st.integers(0, 30), st.sets(st.sampled_from("abcdefghijklmnopqrst"), max_size=3), max_size=12))
def test_groups_share_no_key_and_hold_each_node_once(keys: dict[int, set[str]]) -> None:
    groups = connected(keys)
    assert sorted(node for group in groups for node in group) == sorted(keys)
    held = [set().union(*(keys[node] for node in group)) for group in groups]
    assert sum(map(len, held)) == len(set().union(*held))


def test_names_are_compared_without_case_and_signs() -> None:
    assert plain("Smith, John") == plain("smith_john ")
    assert plain("P12") != plain("P1.2")
    assert plain("???") == "???"
