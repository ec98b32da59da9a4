"""Tables of levels: the counted level beside one that differs."""

from __future__ import annotations

from dataclasses import replace

from examples import planar

from osteoscope.domain.finding import Measure
from osteoscope.report import tables


def test_the_counted_level_stands_in_brackets_beside_another_one() -> None:
    reading = planar().reading
    counted = Measure("siopen_counted", 2, "{score}", "siopen ladder")
    sites = tuple(replace(s, measures=(*s.measures, counted)) if s.site == "skull" else s for s in reading.sites)
    plain, told = tables.siopen(reading), tables.siopen(replace(reading, sites=sites))
    assert "brackets" not in plain.note
    assert "In brackets: the level by counting alone" in told.note
    assert "another is expected to be less wrong" in told.note
    assert "likel" not in told.note
    for before, after in zip(plain.rows, told.rows, strict=True):
        assert after[1].text == before[1].text + (" (2)" if before[0].text == "Skull" else "")
    assert tables.curie(replace(reading, sites=sites)) == tables.curie(reading)
