from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from osteoscope.deliver.agreement import AgreementOptions, compare_readers
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.deliver.simulated import write_simulated
from osteoscope.domain import codec
from osteoscope.domain.reading import Reading
from osteoscope.errors import IntakeError, OutputError
from osteoscope.stats.agreement import Weighting, icc_absolute, weighted_kappa
from osteoscope.stats.ratings import SCALES
from osteoscope.stats.resampling import Resampling

SIOPEN = SCALES["siopen"].sites
COLUMNS = ["study", "patient", *SIOPEN, *(f"curie_{site}" for site in SCALES["curie"].sites)]
QUICK = AgreementOptions(resampling=Resampling(draws=100))


def quiet(*_: object) -> None:
    pass


def osteoscope(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "osteoscope", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(path: Path, levels: np.ndarray, first: int = 0) -> Path:
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS)
        for n, row in enumerate(levels, first):
            rows.writerow([f"S{n}", f"P{n // 2}", *row])
    return path


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    """Levels of three readers, shape (3, 40, 22)."""
    rng = np.random.default_rng(1)
    top = np.array([6] * 12 + [3] * 10)
    truth = rng.integers(0, top + 1, (40, 22)) * (rng.random((40, 22)) < 0.4) * (rng.random((40, 1)) < 0.7)
    noise = rng.integers(-1, 2, (3, 40, 22)) * (rng.random((3, 40, 22)) < 0.3)
    return np.asarray(np.clip(truth + noise, 0, top))


@pytest.fixture(scope="module")
def files(levels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("readers")
    return [write(folder / f"{name}.csv", levels[n]) for n, name in enumerate(("consensus", "dr $x_1$ <b>", "program"))]


@pytest.fixture(scope="module")
def run(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder of results and the document printed."""
    out = tmp_path_factory.mktemp("out of readers")
    done = osteoscope("agree", *files, "-o", out, "--draws", "200", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return out, json.loads(done.stdout)


def figure(document: dict[str, Any], target: str, name: str, other: str = "program") -> dict[str, Any]:
    found = [
        s
        for s in document["statistics"]
        if (s["scale"], s["readers"], s["target"], s["name"]) == ("siopen", ["consensus", other], target, name)
    ]
    assert len(found) == 1, (target, name)
    first: dict[str, Any] = found[0]
    return first


def test_the_document_is_the_one_written(run: tuple[Path, dict[str, Any]]) -> None:
    out, document = run
    assert json.loads((out / "agreement.json").read_text()) == document
    assert document["schema"] == "osteoscope/agreement/1"
    assert "not a medical device" in document["disclaimer"]
    assert document["settings"] == {"matched_by": "study", "draws": 200, "seed": 0}
    assert (len(document["cases"]), document["unmatched"], document["problems"]) == (40, [], [])


def test_figures_are_those_of_the_levels(run: tuple[Path, dict[str, Any]], levels: np.ndarray) -> None:
    _, document = run
    first, other = levels[0, :, :12], levels[2, :, :12]
    assert figure(document, "total", "icc_2_1")["value"] == pytest.approx(
        icc_absolute(np.column_stack([first.sum(axis=1), other.sum(axis=1)])).value
    )
    weightings: tuple[Weighting, ...] = ("none", "linear", "quadratic")
    for weighting in weightings:
        wanted = weighted_kappa(first.ravel(), other.ravel(), weighting)
        assert figure(document, "pooled", f"kappa_{weighting}")["value"] == pytest.approx(wanted)
    assert figure(document, "skull", "exact")["value"] == pytest.approx((first[:, 0] == other[:, 0]).mean())
    assert figure(document, "pooled", "exact")["patients"] == 20
    for statistic in document["statistics"]:
        assert statistic["method"]
        assert statistic["intervals"] or statistic["note"] or statistic["name"] == "mcnemar_p"


def test_the_report_stands_alone(run: tuple[Path, dict[str, Any]]) -> None:
    out, _ = run
    page = (out / "agreement.html").read_text()
    assert "not a medical device" in page
    assert "SIOPEN: agreement with consensus" in page
    assert "dr $x_1$ &lt;b&gt;" in page
    assert "<b>" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_tables_and_figures_are_there(run: tuple[Path, dict[str, Any]]) -> None:
    out, document = run
    for kind in ("kappa_siopen", "confusion_siopen_reader_2", "totals_curie_reader_3", "bland_altman_siopen_reader_3"):
        assert (out / "figures" / f"{kind}.png").read_bytes().startswith(b"\x89PNG")
        assert ET.parse(out / "figures" / f"{kind}.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own file
    with (out / "tables" / "statistics.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(document["statistics"])
    wanted = figure(document, "total", "bias")
    found = [r for r in rows if (r["readers"], r["target"], r["name"]) == ("consensus | program", "total", "bias")]
    assert float(found[0]["value"]) == wanted["value"]
    assert (out / "tables" / "siopen_agreement_with_consensus.csv").read_text("utf-8-sig").startswith("Figure,")
    assert len((out / "tables" / "cases.csv").read_text("utf-8-sig").splitlines()) == 41


def test_the_same_seed_gives_the_same_files(
    run: tuple[Path, dict[str, Any]], files: list[Path], tmp_path: Path
) -> None:
    out, _ = run
    assert osteoscope("agree", *files, "-o", tmp_path, "--draws", "200").returncode == 0
    for path in sorted(p.relative_to(out) for p in out.rglob("*") if p.is_file()):
        assert (tmp_path / path).read_bytes() == (out / path).read_bytes(), path


def test_bad_rows_are_told_and_the_rest_is_compared(levels: np.ndarray, tmp_path: Path) -> None:
    good = write(tmp_path / "good.csv", levels[0])
    bad = write(tmp_path / "bad.csv", levels[1], first=2)
    lines = bad.read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join([*cells[:2], "7", "not acquired", *cells[4:]])
    bad.write_text("\n".join(lines))
    done = osteoscope("agree", good, bad, "-o", tmp_path / "out", "--draws", "100")
    assert done.returncode == 3
    assert "bad.csv, row 4, column skull: '7' is no level. Give 0 to 6" in done.stderr
    assert "37 cases compared, 5 not read by all" in done.stdout
    page = (tmp_path / "out" / "agreement.html").read_text()
    assert "1 fault in the input" in page
    assert "S41" in (tmp_path / "out" / "tables" / "studies_not_read_by_all.csv").read_text("utf-8-sig")


def test_a_missing_segment_leaves_the_totals_and_not_the_levels(levels: np.ndarray, tmp_path: Path) -> None:
    partial = levels[1].astype(object)
    partial[:6, 3] = "not acquired"
    sources = [str(write(tmp_path / "a.csv", levels[0])), str(write(tmp_path / "b.csv", partial))]
    done = compare_readers(sources, tmp_path / "out", QUICK, quiet)
    by_name = {(s["target"], s["name"]): s for s in done.document["statistics"] if s["scale"] == "siopen"}
    assert by_name["total", "bias"]["observations"] == 34
    assert by_name["total of shared segments", "bias"]["observations"] == 40
    assert by_name["pooled", "exact"]["observations"] == 40 * 12 - 6
    assert done.document["cases"][0]["siopen_total"]["b"] is None
    counted = next(c for c in done.document["coverage"]["siopen"] if (c["reader"], c["site"]) == ("b", SIOPEN[3]))
    assert (counted["assessed"], counted["not_acquired"]) == (34, 6)
    assert any("6 cases lack a segment" in limit for limit in done.report.limits)
    assert done.lossless


def test_readings_and_their_truth(tmp_path: Path) -> None:
    """Truths of simulated children against themselves with one segment changed and one out of the field."""
    write_simulated("planar", [1, 2, 3], tmp_path / "truth", quiet)
    for number, truth in enumerate(sorted((tmp_path / "truth").glob("*/truth.json"))):
        (tmp_path / "read" / str(number)).mkdir(parents=True)
        write_reading(_changed(read_reading(truth)), tmp_path / "read" / str(number) / "reading.json")
    (tmp_path / "read" / "junk").mkdir()
    (tmp_path / "read" / "junk" / "reading.json").write_text("{}")
    sources = [f"truth={tmp_path / 'truth'}", str(tmp_path / "read")]
    done = compare_readers(sources, tmp_path / "out", QUICK, quiet)
    document = done.document
    assert [reader["studies"] for reader in document["readers"]] == [3, 3]
    assert [problem["file"] for problem in document["problems"]] == ["junk/reading.json"]
    by_name = {(s["target"], s["name"]): s for s in document["statistics"] if s["scale"] == "siopen"}
    assert by_name["skull", "exact"]["value"] == 0
    assert by_name["pelvis", "exact"]["observations"] == 0
    assert by_name["spine", "exact"]["value"] == 1


def _changed(reading: Reading) -> Reading:
    plain = codec.encode(reading)
    for site in plain["sites"]:
        for measure in site["measures"]:
            if site["site"] == "skull" and measure["name"] == "siopen":
                measure.update(value=0.0 if measure["value"] else 1.0, interval=None)
        if site["site"] == "pelvis":
            site.update(status="not_acquired", measures=[])
    return codec.decode(Reading, plain)


def test_help_explains_itself() -> None:
    shown = osteoscope("agree", "--help").stdout
    assert "Usage:" in shown
    assert "--reference" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("a.csv",), 1, "1 reader"),
        (("a.csv", "none.csv"), 1, "none.csv: nothing there"),
        (("a.csv", "B=a.csv", "--reference", "C"), 1, "--reference is one of: a, B"),
        ((), 2, "Missing argument"),
    ],
)
def test_wrong_calls_end_in_one_plain_line(
    levels: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.csv", levels[0])
    done = osteoscope("agree", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_compared_or_written(levels: np.ndarray, files: list[Path], tmp_path: Path) -> None:
    blank = np.full(levels[0].shape, "", dtype=object)
    with pytest.raises(IntakeError, match="no score that two readers gave"):
        compare_readers([str(files[0]), str(write(tmp_path / "blank.csv", blank))], tmp_path, QUICK, quiet)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="-o"):
        compare_readers([str(f) for f in files[::2]], tmp_path / "file" / "below", QUICK, quiet)
