from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from osteoscope.deliver.result_files import apart, plain_table, slug, write_results
from osteoscope.report.parts import Document, Fact, Section


def test_tables_of_one_file_name_are_all_written(tmp_path: Path) -> None:
    titles = ("Segments: B-1", "Segments: B 1", "Statistics", "–")
    tables = tuple(plain_table(title, (title,), ()) for title in titles)
    report = Document("t", "d", (Fact("", ""),), "", (), (), (Section("Details", (), tables),))
    write_results({}, report, (), {"statistics": [("full",)]}, (tmp_path, "name"))
    written = {}
    for path in (tmp_path / "tables").iterdir():
        with path.open(encoding="utf-8-sig", newline="") as stream:
            written[path.stem] = next(csv.reader(stream))[0]
    assert written == {
        "segments_b_1": titles[0],
        "segments_b_1_2": titles[1],
        "statistics": "full",
        "statistics_2": titles[2],
        "unnamed": titles[3],
    }


@given(st.lists(st.sampled_from(["a", "a 2", "A", "a_2", "b"]), max_size=8), st.sets(st.sampled_from(["a", "b_2"])))
def test_names_are_never_alike(titles: list[str], taken: set[str]) -> None:
    names = apart(map(slug, titles), taken)
    assert len(set(names)) == len(titles)
    assert not set(names) & taken
