"""A box of a volume holds what the volume does there, and what is asked for beyond it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.find.ct_cutting import cut, held

VOLUME = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
PAD = 20

starts = st.tuples(*[st.integers(-PAD, PAD - 8)] * 3)
sides = st.tuples(*[st.integers(1, 8)] * 3)


@given(starts, sides)
def test_a_box_is_that_of_the_padded_volume(start: tuple[int, ...], shape: tuple[int, ...]) -> None:
    padded = np.pad(VOLUME, PAD, constant_values=-1)
    expected = padded[tuple(slice(PAD + a, PAD + a + n) for a, n in zip(start, shape, strict=True))]
    found = cut(VOLUME, np.array(start), shape, -1)
    assert found.dtype == VOLUME.dtype
    np.testing.assert_array_equal(found, expected)
    outer, inner = held(VOLUME.shape, start, shape)
    np.testing.assert_array_equal(VOLUME[outer], found[inner])
    assert np.count_nonzero(found >= 0) == VOLUME[outer].size
