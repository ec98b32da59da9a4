from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from box_child import dated, foci
from followup import OTHER_POSE, Spot, Visit, scan

from osteoscope.deliver.outputs import write_reading
from osteoscope.dicom.write_nm import write_nm

STAY = (Spot("vertebra_T8"), Spot("femur_left", 0.8), Spot("humerus_right", 0.3))


def osteoscope(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "osteoscope", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compare_as_a_user(tmp_path: Path) -> None:
    """DICOM of one child before and after: a femoral focus has gone, one of the other shin has come."""
    first = Visit("2026-01-10", (*STAY, Spot("femur_right", 0.3)))
    second = Visit("2026-05-20", (*STAY, Spot("tibia_left", 0.4)), 4.3, OTHER_POSE)
    dates = tmp_path / "before", tmp_path / "after"
    for folder, visit in zip(dates, (first, second), strict=True):
        write_nm(scan(visit).study, folder)
    done = osteoscope("compare", *dates, "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    response = json.loads(done.stdout)
    assert response == json.loads((tmp_path / "out" / "response.json").read_text())
    course = {
        tuple(s["state"] for s in lesion["course"])
        for lesion in response["lesions"]
        if lesion["site"] in {"thoracic_spine", "proximal_upper_limb_right", "proximal_lower_limb_left"}
        and all((s["confidence"] or 0.0) > 0.7 for s in lesion["course"])
    }
    assert course == {("baseline", "persisting")}
    new = response["comparisons"][0]["new"]
    assert "distal_lower_limb_left" in {lesion["site"] for lesion in response["lesions"] if lesion["id"] in new}
    page = (tmp_path / "out" / "response.html").read_text()
    assert "outlines alone" not in page
    assert "2026-05-20" in page
    exams = [tmp_path / "out" / name for name in ("exam-1", "exam-2")]
    again = osteoscope("compare", *exams, "-o", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert "INRC bone component" in again.stdout
    assert "not a medical device" in again.stdout


def test_bad_input_is_said_in_one_line(tmp_path: Path) -> None:
    dates = [tmp_path / f"{date}.json" for date in ("2026-05-20", "2026-01-10")]
    for path in dates:
        write_reading(dated(foci("skull", 1), date=path.stem).reading, path)
    swapped = osteoscope("compare", *dates, "-o", tmp_path / "out")
    assert swapped.returncode == 1
    assert "2026-05-20 comes before 2026-01-10" in swapped.stderr
    assert "Traceback" not in swapped.stderr
    assert osteoscope("compare", dates[0]).returncode == 2
