from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.deliver.matched import Matched
from osteoscope.deliver.matching import match, panel
from osteoscope.deliver.ratings import Rated, Ratings, as_level, scales_of
from osteoscope.deliver.ratings_csv import read_csv
from osteoscope.deliver.ratings_source import open_readers
from osteoscope.errors import IntakeError
from osteoscope.stats.ratings import SCALES

SIOPEN, CURIE = SCALES["siopen"].sites, [f"curie_{site}" for site in SCALES["curie"].sites]


def sheet(path: Path, *rows: str, header: str = "", sites: tuple[str, ...] = SIOPEN) -> Path:
    """A CSV of rows "study,patient,date,first levels"; further levels are 0."""
    lines = [header or ",".join(["study", "patient", "date", *sites])]
    for row in rows:
        cells = row.split(",")
        lines.append(",".join(cells + ["0"] * (3 + len(sites) - len(cells))))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> Ratings:
    return read_csv(path, "A")


def quiet(*_: object) -> None:
    pass


@pytest.mark.parametrize(
    ("text", "level"),
    [("3,0", 3), ("3,5", None), ("1,0.0", None),
     ("3", 3), ("3.0", 3), (" 6 ", 6), ("", "not_read"), ("NA", "not_read"), ("Not acquired", "not_acquired"),
     ("not_assessable", "not_assessable"), ("7", None), ("-1", None), ("2.5", None), ("three", None),
     ("inf", None), ("1e400", None)],
)  # fmt: skip
def test_levels_and_reasons(text: str, level: object) -> None:
    assert as_level(text, SCALES["siopen"]) == level


def test_a_plain_sheet(tmp_path: Path) -> None:
    found = read(sheet(tmp_path / "a.csv", "S1,P1,2024-01-31 00:00:00,1,NA,not acquired", "S2,P2,,6"))
    assert found.problems == ()
    first, second = found.rated
    assert (first.study, first.patient, first.date, first.row) == ("S1", "P1", "2024-01-31", 2)
    assert first.levels["siopen"][:4] == (1, "not_read", "not_acquired", 0)
    assert second.levels["siopen"][0] == 6


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("S9,P9,,7", ("row 3", "column skull", "'7' is no level", "0 to 6")),
        ("S9,P9,,1,many", ("row 3", "column thoracic_cage", "'many' is no level")),
        (",,,1", ("row 3", "no study and no patient")),
        ("S9,P9,31/01/2024", ("row 3", "column date", "2024-01-31")),
        ("S9,P9,,1," + ",".join(["0"] * 20), ("row 3", "24 cells under a header of 15")),
        ("S1,P1,,1", ("row 3", "also in row 2")),
    ],
)
def test_a_bad_row_is_told_and_loses_no_other(tmp_path: Path, row: str, said: tuple[str, ...]) -> None:
    found = read(sheet(tmp_path / "reader.csv", "S1,P1,,1", row, "S3,P3,,2"))
    told = "\n".join(map(str, found.problems))
    assert all(word in told for word in ("reader.csv", *said)), told
    assert [one.study for one in found.rated][-1] == "S3"
    assert "S9" not in [one.study for one in found.rated]
    # Of two rows of one study nobody knows which is meant.
    assert len(found.rated) == (1 if row.startswith("S1") else 2)


def test_a_row_is_named_by_the_line_it_begins_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        ",".join(["study", "comment", *SIOPEN]) + '\nS1,"two\nlines"' + ",9" * 12 + "\nS2,," + ",".join("9" * 12)
    )
    assert {problem.row for problem in read(path).problems} == {1, 2, 4}


def test_every_fault_of_a_row_is_told(tmp_path: Path) -> None:
    found = read(sheet(tmp_path / "a.csv", "S1,P1,,7,8,9"))
    assert [problem.column for problem in found.problems] == list(SIOPEN[:3])


def test_a_column_not_known_is_told_and_ignored(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "a.csv", "S1,P1,,1,", header=",".join(["study", "patient", "date", "comment", *SIOPEN[:11]])
    )
    with pytest.raises(IntakeError, match="distal_lower_limb_left"):
        read(path)
    lines = [",".join(["study", "comment", *SIOPEN]), ",".join(["S1", "blurred", *"000000000000"])]
    path.write_text("\n".join(lines))
    (problem,) = read(path).problems
    assert (problem.column, problem.lost) == ("comment", False)


def test_a_misspelt_column_is_told_with_the_right_one(tmp_path: Path) -> None:
    header = ",".join(["study", *SIOPEN]).replace("thoracic_cage", "thoracal_cage")
    path = tmp_path / "a.csv"
    path.write_text(header + "\nS1" + ",0" * 12 + "\n")
    with pytest.raises(IntakeError, match=r"thoracal_cage: unknown column, ignored\. Did you mean 'thoracic_cage'"):
        read(path)


def test_a_total_that_does_not_add_up_is_told_and_not_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(["study", *SIOPEN, "siopen_total"]) + "\nS1" + ",1" * 12 + ",13\nS2" + ",1" * 12 + ",12\n")
    found = read(path)
    assert len(found.rated) == 2
    (problem,) = found.problems
    assert "segments add up to 12" in str(problem)
    assert not problem.lost


def test_numbers_with_a_decimal_comma_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(";".join(["study", *SIOPEN, "siopen_total"]) + "\nS1" + ";1,0" * 12 + ";12,0\n")
    found = read(path)
    assert found.problems == ()
    assert found.rated[0].levels["siopen"] == (1,) * 12


@pytest.mark.parametrize(
    ("column", "lost"), [("soft_tissue", False), ("Soft tissue", False), ("curie_soft_tissue", True)]
)
def test_soft_tissue_beside_the_segments_is_a_remark(tmp_path: Path, column: str, lost: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(["study", *SIOPEN, column]) + "\nS1" + ",1" * 12 + ",none\n")
    found = read(path)
    assert len(found.rated) == 1
    (problem,) = found.problems
    assert problem.lost is lost
    assert "Curie is not read from this file" in str(problem)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_write_is_read(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "a.csv"
    header = ["Patient ID", *(site.replace("_", " ").title() for site in SIOPEN)]
    rows = [header, ["Gr\u00fcn", *"0" * 12], [""] * 13]
    path.write_text("\r\n".join(separator.join(row) for row in rows), encoding=encoding)
    found = read(path)
    assert [one.patient for one in found.rated] == ["Gr\u00fcn"]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no study or patient column"),
        (b"PK\x03\x04\x00\x00\x00", "not text"),
        (b"a,b\n1,2\n", "no study or patient column"),
        (b"study\nS1\n", "no column of a segment"),
        (b"study,study_id,skull\n", "mean the same"),
        (",".join(["study", *SIOPEN]).encode() + b'\n"S1' + b"x" * 200_000, "line 2"),
    ],
)
def test_files_that_are_no_ratings_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(IntakeError, match=said):
        read(path)


def test_curie_beside_siopen_and_alone(tmp_path: Path) -> None:
    both = sheet(tmp_path / "a.csv", "S1,P1,,1", sites=(*SIOPEN, *CURIE))
    alone = sheet(tmp_path / "b.csv", "S1,P1,,3", sites=tuple(CURIE))
    ratings = [read(both), read(alone)]
    assert [scale.name for scale in scales_of(ratings)] == ["curie"]
    assert ratings[0].rated[0].levels["siopen"][7] == ratings[0].rated[0].levels["curie"][4] == 0
    assert all(reader.problems == () for reader in ratings)


def matched(tmp_path: Path, *readers: tuple[str, ...]) -> Matched:
    paths = [str(sheet(tmp_path / f"{'abc'[n]}.csv", *rows)) for n, rows in enumerate(readers)]
    return match(open_readers(paths, "", quiet))


def test_studies_are_matched_by_study_then_patient_and_date_then_patient(tmp_path: Path) -> None:
    by_study = matched(tmp_path, ("S1,P1,,1", "S2,P1,,2"), ("S2,,,3", "S1,,,4"))
    assert (by_study.key, [case.label for case in by_study.cases]) == ("study", ["S1", "S2"])
    assert {case.patient for case in by_study.cases} == {"P1"}
    by_date = matched(tmp_path, ("A1,P1,2024-01-01,1", "A2,P1,2024-02-01,2"), ("B1,P1,20240201,3",))
    assert (by_date.key, [case.label for case in by_date.cases]) == ("patient and date", ["P1 2024-02-01"])
    by_patient = matched(tmp_path, ("A1,P1,,1", "A2,P2,,2"), (",P2,,3", ",P1,2024-01-01,3"))
    assert (by_patient.key, len(by_patient.cases)) == ("patient", 2)


def test_what_not_all_read_is_listed(tmp_path: Path) -> None:
    found = matched(tmp_path, ("S1,,,1", "S2,,,2", "S3,,,2"), ("S1,,,3", "S4,,,1"), ("S1,,,3", "S2,,,1"))
    assert [case.label for case in found.cases] == ["S1", "S2"]
    told = {u.case: (u.read_by, u.not_read_by, u.compared) for u in found.unmatched}
    assert told == {
        "S2": (("a", "c"), ("b",), True),
        "S3": (("a",), ("b", "c"), False),
        "S4": (("b",), ("a", "c"), False),
    }
    levels = panel(found, SCALES["siopen"]).levels
    assert levels[:, 0, 0].tolist() == [1, 3, 3]
    assert (levels[1, 1] != levels[1, 1]).all()


def test_repeated_scans_without_a_date_are_told_and_left_out(tmp_path: Path) -> None:
    found = matched(tmp_path, ("A1,P1,,1", "A2,P1,,2", "A3,P2,,0"), (",P1,,3", ",P2,,0"))
    assert [case.label for case in found.cases] == ["P2"]
    assert [problem.row for problem in found.problems] == [2, 3]
    assert "Give patient and study, or a date, in every file" in str(found.problems[0])


def test_a_study_of_two_patients_is_told_and_left_out(tmp_path: Path) -> None:
    found = matched(tmp_path, ("S1,P1,,1", "S2,P2,,1", "S3,P3,,1"), ("S1,P1,,1", "S2,P2,,1", "S3,P9,,1"))
    assert (found.key, [case.label for case in found.cases]) == ("study", ["S1", "S2"])
    (problem,) = found.problems
    assert problem.lost
    assert "study 'S3' is of patient 'P3' and 'P9'; it is left out" in str(problem)


def test_studies_whose_patients_all_contradict_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="study 'S1' is of patient 'P1' and 'Q1'"):
        matched(tmp_path, ("S1,P1,,1", "S2,P2,,1"), ("S1,Q1,,1", "S2,Q2,,1"))


@given(st.permutations(range(6)))
def test_row_numbers_are_no_studies_where_patients_contradict_them(order: list[int]) -> None:
    def reader(name: str, patients: Sequence[int]) -> Ratings:
        rows = (Rated(f"{n}", f"P{p}", "", {"siopen": (p,) * 12}, f"{name}.csv", n) for n, p in enumerate(patients))
        return Ratings(name, "", tuple(rows))

    found = match([reader("a", range(6)), reader("b", order)])
    assert len(found.cases) in {6, sum(n == p for n, p in enumerate(order))}
    for case in found.cases:
        assert len({one.patient for one in case.rated if one}) == 1
    if not any(n == p for n, p in enumerate(order)):
        assert (found.key, len(found.cases)) == ("patient", 6)
        (problem,) = found.problems
        assert "as in 6 of 6 studies, ids of studies are not shared: matched by patient" in problem.found
        assert not problem.lost


def test_visits_are_told_apart_by_patient_and_study(tmp_path: Path) -> None:
    rows = ("pre,P1,,1", "post,P1,,2", "pre,P2,,3", "post,P2,,4")
    for one in ((), ("relapse,P2,,6",)):
        found = matched(tmp_path, (*rows, *one), (*rows[::-1], *one))
        assert (found.key, len(found.cases), found.problems) == ("patient and study", 4 + len(one), ())
    with pytest.raises(IntakeError, match="its reader has this study more than once"):
        matched(tmp_path, rows, ("pre,,,1", "post,,,1", "pre,,2024-01-01,1", "post,,2024-01-01,1"))


def test_a_patient_that_stands_for_a_study_contradicts_nobody(tmp_path: Path) -> None:
    found = matched(tmp_path, ("S1,P1,,1", "S2,P2,,2"), (",S1,,1", ",S2,,2"))
    assert (len(found.cases), {case.patient for case in found.cases}, found.problems) == (2, {"P1", "P2"}, ())


def test_nothing_in_common_is_an_error_that_shows_the_ids(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"no study in common \(a: .*S1.*; b: .*S2"):
        matched(tmp_path, ("S1,,,1",), ("S2,,,1",))


def test_readers_without_a_sound_row_are_told_the_first_fault(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"b: nothing, b\.csv, row 2, column skull: '9' is no level"):
        matched(tmp_path, ("S1,,,1",), ("S1,,,9",))


def test_readers_are_named_and_the_reference_comes_first(tmp_path: Path) -> None:
    a, b = sheet(tmp_path / "a.csv", "S1"), sheet(tmp_path / "b.csv", "S1")
    assert [r.reader for r in open_readers([str(a), f"truth={b}"], "truth", quiet)] == ["truth", "a"]
    for sources, reference, said in (
        ([str(a)], "", "1 reader"), ([str(a), str(b)], "c", "no reader 'c'"), ([str(a)] * 2, "", "two readers named"),
        ([str(a), str(tmp_path / "none.csv")], "", "nothing there"), ([str(a), str(tmp_path)], "", "no reading.json"),
    ):  # fmt: skip
        with pytest.raises(IntakeError, match=said):
            open_readers(sources, reference, quiet)
