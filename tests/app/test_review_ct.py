"""A CT from upload to signature, with lesions added, painted, judged and rejected."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import Page, Served, another_study, files_of, fill, who

from osteoscope.deliver.evaluation import EvaluationOptions, evaluate
from osteoscope.dicom.write_ct import write_ct
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.resampling import Resampling

SHAPE, SPACING = (24, 96, 96), (3.0, 2.0, 2.0)
AT = [60.0, 96.0, 36.0]  # LPS, the middle of the bone


@pytest.fixture(scope="session")
def read_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows, columns = np.mgrid[:96, :96]
    values = np.full(SHAPE, -1000.0)
    values[:, (rows - 48) ** 2 + (columns - 48) ** 2 < 42**2] = 30
    shaft = (rows - 48) ** 2 + (columns - 30) ** 2
    values[:, shaft < 7**2] = 1100
    values[:, shaft < 4**2] = 60
    values += np.random.default_rng(0).normal(0, 8, SHAPE)
    image = Image(Grid.axial(SHAPE, SPACING), values.astype(np.int16), "HU")
    folder = tmp_path_factory.mktemp("ct")
    write_ct(Study("2.25.77", "ct", "2026-03-04", Patient("C1", "Simulated^Cylinder"), {"ct": image}), folder)
    home = tmp_path_factory.mktemp("ct-home")
    fill(home, "sig", files_of(folder))
    return home


@pytest.fixture
def page(served: Served) -> Page:
    return served.login("sig")


def edit(page: Page, study: str, status: int = 200, **what: Any) -> Any:
    return page.post(f"/api/studies/{study}/edits", {"edit": what}, status)


def measure(noun: dict[str, Any], name: str) -> float | None:
    return next((m["value"] for m in noun["measures"] if m["name"] == name), None)


def test_volumes_are_there_for_the_viewer(served: Served, page: Page) -> None:
    ct = page.get(f"/api/studies/{served.study}/views")["ct"]
    assert (ct["shape"], ct["spacing_mm"]) == (list(SHAPE), list(SPACING))
    for name in ("volume", "lesions", "bones"):
        assert page.client.get(ct[name]).content[:2] == b"\x1f\x8b"
    assert ct["legend"]


def test_a_lesion_is_added_painted_typed_judged_and_rejected(served: Served, page: Page) -> None:
    study = served.study
    before = page.get(f"/api/studies/{study}/reading")
    added = edit(page, study, op="add_lesion", position_mm=AT, diameter_mm=12)["reading"]
    lesion = next(f for f in added["findings"] if f["id"] == "P1")
    assert measure(lesion, "volume") == pytest.approx(4 / 3 * np.pi * 6**3 / 1000, rel=0.2)
    assert lesion["centre"]["position"] == pytest.approx(AT, abs=1.5)
    assert lesion["site"] in {site["site"] for site in before["sites"]}
    count = measure(added, "lesion_count")
    assert count == len(before["findings"]) + 1

    mask = np.zeros((2, 3, 4), dtype=np.uint8)
    mask[:, 1, 1:3] = 1
    packed = base64.b64encode(gzip.compress(mask.tobytes())).decode()
    box = [[10, 12], [47, 50], [28, 32]]
    painted = edit(page, study, op="mask", finding="P1", mask=packed, box=box)["reading"]
    lesion = next(f for f in painted["findings"] if f["id"] == "P1")
    part = lesion["region"]["parts"][0]
    assert (part["offset"], part["mask"]["shape"]) == ([10, 48, 29], [2, 1, 2])
    assert measure(lesion, "volume") == pytest.approx(4 * 12 / 1000)

    for aspect, right in (("size", True), ("location", False), ("detection", True), ("detection", None)):
        edit(page, study, op="mark", finding="P1", aspect=aspect, right=right)
    typed = edit(page, study, op="type", finding="P1", type="blastic")["reading"]
    lesion = next(f for f in typed["findings"] if f["id"] == "P1")
    assert lesion["kind"] == "blastic"
    assert [measure(lesion, f"{a}_right") for a in ("size", "location", "detection")] == [1.0, 0.0, None]

    rejected = edit(page, study, op="reject", finding="P1")["reading"]
    assert measure(rejected, "lesion_count") == len(before["findings"])
    assert rejected["set_aside"][-1]["reason"] == "removed by sig"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ({"op": "add_lesion", "position_mm": [1e9, 0, 0], "diameter_mm": 5}, 400),
        ({"op": "add_lesion", "position_mm": AT, "diameter_mm": 5000}, 422),
        ({"op": "add_lesion", "position_mm": AT, "diameter_mm": 5, "site": "moon"}, 400),
        ({"op": "mask", "finding": "P1", "mask": "!!", "box": [[0, 1], [0, 1], [0, 1]]}, 400),
        ({"op": "mask", "finding": "P1", "mask": "AAAA", "box": [[0, 1], [0, 1], [0, 1]]}, 400),
        (
            {
                "op": "mask", "finding": "P1", "box": [[0, 1], [0, 1], [0, 2]],
                "mask": base64.b64encode(gzip.compress(b"\0" * 10**6)).decode(),
            },
            400,
        ),
        (
            {
                "op": "mask", "finding": "P1", "box": [[0, 1], [0, 1], [0, 2]],
                "mask": base64.b64encode(gzip.compress(b"\0\0")).decode(),
            },
            400,
        ),
        ({"op": "mask", "finding": "P1", "mask": "", "box": [[0, 99], [0, 1], [0, 1]]}, 400),
        ({"op": "mark", "finding": "P9", "aspect": "size", "right": True}, 400),
        ({"op": "level", "site": "skull", "level": 1}, 400),
    ],
)  # fmt: skip
def test_an_edit_that_does_not_fit_is_refused(served: Served, page: Page, what: dict[str, Any], status: int) -> None:
    edit(page, served.study, op="add_lesion", position_mm=AT, diameter_mm=6)
    refused = edit(page, served.study, status, **what)
    assert status == 422 or refused["detail"]["remedy"]
    assert page.get(f"/api/studies/{served.study}")["draft"]["number_of_edits"] == 1


def test_a_ct_that_is_read_again_stays_whole_for_whoever_has_it_mapped(served: Served, page: Page) -> None:
    views = served.settings.folder_of(served.study) / "views"
    there = {path.name: (path.stat().st_ino, path.read_bytes()) for path in views.iterdir()}
    mapped = {name: np.load(views / name, mmap_mode="r") for name in ("ct.npy", "bones.npy")}
    page.post(f"/api/studies/{served.study}/read", {})
    assert served.work() == []
    for name, (file, data) in there.items():
        assert (views / name).stat().st_ino != file
        if name in mapped:
            assert mapped[name].tobytes() == data[-mapped[name].nbytes :]
    assert {path.name for path in views.iterdir()} == there.keys()


def test_the_signed_segmentation_holds_the_lesion(served: Served, page: Page) -> None:
    study = served.study
    edit(page, study, op="add_lesion", position_mm=AT, diameter_mm=12, type="lytic")
    page.post(f"/api/studies/{study}/sign", who(page, study))
    served.work()
    delivered = page.get(f"/api/studies/{study}/delivery")
    assert delivered["notes"] == []
    assert {"lesions.dcm", "bones.dcm", "measurements.dcm", "report.dcm", "lesions.nii.gz"} <= set(delivered["files"])
    assert page.client.get(f"/api/studies/{study}/files/lesions.dcm").content[128:132] == b"DICM"


def test_two_cts_of_a_patient_are_compared_by_a_worker(served: Served, page: Page) -> None:
    """The cylinder at an earlier date against itself with a lesion that the reader added."""
    study, prior = served.study, another_study(served, "prior", "2025-11-02")
    for one in (study, prior):
        legend = served.settings.folder_of(one) / "views" / "bones_index.json"
        bones = json.loads(legend.read_text())
        assert bones
        legend.write_text(
            json.dumps([bone | {"site": f"femur_{'left' if n else 'right'}"} for n, bone in enumerate(bones)])
        )
    url = f"/api/studies/{study}/ct-comparison"
    assert page.get(url, prior=prior)["state"] == "absent"
    lesion: dict[str, Any] = {"position_mm": AT, "diameter_mm": 10, "type": "lytic", "site": "femur_right"}
    edit(page, study, op="add_lesion", **lesion)

    assert page.post(url, {"prior": prior})["state"] == "queued"
    assert page.post(url, {"prior": prior})["state"] == "queued"
    assert served.jobs().count(("compare", "queued")) == 1
    assert served.work() == []
    done = page.get(url, prior=prior)
    assert (done["state"], done["progress"]) == ("done", 1.0)
    added = [one for one in done["response"]["lesions"] if one["now"] and one["now"]["findings"] == ["P1"]]
    assert [one["call"] for one in added] == ["new"]
    assert page.client.get(f"{url}/response.pdf", params={"prior": prior}).content[:4] == b"%PDF"
    assert page.client.get(f"{url}/other.pdf", params={"prior": prior}).status_code == 404

    assert served.login("ada").get(url, prior=prior)["state"] == "absent"  # without the reader's lesion
    edit(page, study, op="reject", finding="P1")
    assert page.get(url, prior=prior)["state"] == "absent"
    page.get(url, 404, prior="nobody's")


def test_cts_without_a_bone_in_common_say_why(served: Served, page: Page) -> None:
    prior = another_study(served, "prior", "2025-11-02")
    url = f"/api/studies/{served.study}/ct-comparison"
    page.post(url, {"prior": prior})
    (served.settings.folder_of(prior) / "views" / "bones_index.json").unlink()
    with pytest.raises(UnsuitableStudyError, match="no outlines of bones"):
        served.work()


def test_a_reader_study_of_cts_is_read_by_evaluate(served: Served, tmp_path: Path) -> None:
    """Alone the reader sees no label of the program; aided he judges what it found."""
    lesion = {"op": "add_lesion", "position_mm": AT, "diameter_mm": 14, "type": "lytic"}
    plan = {"name": "pilot", "studies": [served.study], "readers": ["rea"], "washout_days": 0}
    admin, reader = served.login("ada"), served.login("rea")
    trial = admin.post("/api/trials", plan)["id"]
    for phase in ("alone", "aided"):
        turn = reader.get(f"/api/trials/{trial}/next")
        url = f"/api/trials/{trial}/cases/{turn['case']}"
        reader.get(url)
        ct = reader.get(f"{url}/views")["ct"]
        assert (ct["bones"] is None) == (ct["legend"] is None) == (phase == "alone")
        assert reader.client.get(f"{url}/pictures/bones.nii.gz").status_code == (404 if phase == "alone" else 200)
        assert reader.client.get(ct["volume"]).status_code == 200
        reader.post(f"{url}/edits", {"edit": lesion})
        mark = {"op": "mark", "finding": "P1", "aspect": "size", "right": True}
        reader.post(f"{url}/edits", {"edit": mark})
        reader.post(f"{url}/finish", {"seconds": 60})
    with zipfile.ZipFile(io.BytesIO(admin.client.get(f"/api/trials/{trial}/export").content)) as archive:
        archive.extractall(tmp_path / "out")
    out = tmp_path / "out"
    sources = [out / "readings" / "alone" / "rea", out / "readings" / "aided" / "rea"]
    options = EvaluationOptions(DetectionOptions(resampling=Resampling(100, 0)), out / "marks" / "aided" / "rea.csv")
    done = evaluate(sources, tmp_path / "evaluation", options, lambda *_: None)
    assert done.evaluation.problems == ()
    assert [scan.study for scan in done.evaluation.detection.scans] == ["study-001"]
    assert b"Cylinder" not in b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
