"""What a cell of several bones is learnt as."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from osteoscope.find.ct_bone_maps import FOLD, VOXELS
from osteoscope.train.ct_bones_draw import end_field, most

PLANES = arrays(np.uint8, (VOXELS, 3, 4, 2), elements=st.integers(0, 4))


@given(PLANES)
def test_a_cell_is_the_bone_that_most_of_its_bone_is(planes: np.ndarray) -> None:
    found = most(planes)
    for at in np.ndindex(*found.shape):
        counts = Counter(int(n) for n in planes[:, *at] if n)
        assert counts[int(found[at])] == max(counts.values(), default=0)


@given(PLANES, st.permutations([1, 2, 3, 4]))
def test_no_bone_wins_by_its_number(planes: np.ndarray, others: list[int]) -> None:
    """A bone that won all its ties, or every cell it touches, would be learnt larger than it is."""
    renamed = np.array([0, *others], dtype=np.uint8)
    np.testing.assert_array_equal(most(renamed[planes]), renamed[most(planes)])


@given(st.integers(0, 10_000))
def test_above_a_field_that_ends_there_is_air_and_what_it_cuts_is_told(seed: int) -> None:
    seen, labels = torch.zeros(64, 2, 2), torch.zeros(64, 2, 2, dtype=torch.uint8)
    labels += torch.arange(64, dtype=torch.uint8)[:, None, None] // 8 + 1
    cut = end_field(seen, labels, np.random.default_rng(seed))
    top = int((seen == 0).sum()) // 4
    assert 0 < top < 64
    assert top % FOLD == 0
    assert (seen[top:] == -1000).all()
    assert not labels[top:].any()
    assert labels[:top].all()
    assert cut.tolist() == [labels[top - 1, 0, 0]]
