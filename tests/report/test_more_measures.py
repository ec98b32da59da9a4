"""Findings with more measures than one table has room for."""

from __future__ import annotations

from dataclasses import replace

from examples import ct

from osteoscope.domain.finding import Measure
from osteoscope.report import tables


def test_every_measure_of_every_finding_is_in_one_of_the_tables() -> None:
    reading = ct(lesions=3).reading
    extra = tuple(Measure(f"extra_{n}", n, "mm", "m") for n in range(25))
    first, *others = reading.findings
    full = replace(reading, findings=(replace(first, measures=(*first.measures, *extra)), *others))
    shown = (tables.findings(full), *tables.more_of_findings(full))
    titles = [column.title for table in shown for column in table.columns]
    assert [t for t in titles if t.startswith("Extra")] == [f"Extra {n}, mm" for n in range(25)]
    assert all(len(row) == len(table.columns) for table in shown for row in table.rows)
    assert [len(table.rows) for table in shown] == [3, 1, 1, 1]
    assert max(len(table.columns) for table in shown) <= 11, "a page is no wider"
    assert tables.more_of_findings(reading) == ()
