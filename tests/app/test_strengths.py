"""A bone's strength, tested from the review page by a worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import Page, Served, files_of, fill

from osteoscope.dicom.write_ct import write_ct
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import UnsuitableStudyError

SHAPE, SPACING = (40, 72, 72), (1.5, 1.5, 1.5)
MIDDLE = np.array([54.0, 54.0, 30.0])  # LPS of the body's middle
AT = [58.0, 52.0, 32.0]


@pytest.fixture(scope="session")
def read_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drum of bone in muscle, named L3 after it was read: fast, and its axis is known."""
    grid = Grid.axial(SHAPE, SPACING)
    places = grid.to_position(np.moveaxis(np.indices(SHAPE), 0, -1)) - MIDDLE
    away = np.hypot(places[..., 0], places[..., 1])
    bone = (np.abs(places[..., 2]) < 12) & (away < 17)
    values = np.select([bone, away < 32, away < 42], [300.0, 50.0, -100.0], -1000.0)
    values = (values + np.random.default_rng(0).normal(0, 8, SHAPE)).astype(np.int16)
    image = Image(grid, values, "HU")
    folder = tmp_path_factory.mktemp("ct")
    write_ct(Study("2.25.79", "ct", "2026-03-04", Patient("C3", "Simulated^Drum"), {"ct": image}), folder)
    home = tmp_path_factory.mktemp("ct-home")
    fill(home, "sig", files_of(folder))
    views = next(home.rglob("bones.npy")).parent
    np.save(views / "bones.npy", bone.astype(np.uint16))
    known = {"status": "present", "confidence": 1.0, "notes": []}
    (views / "bones_index.json").write_text(json.dumps([{"site": "vertebra_L3", **known}]))
    return home


@pytest.fixture
def page(served: Served) -> Page:
    return served.login("sig")


def test_a_bone_is_tested_with_the_lesion_that_the_reader_added(served: Served, page: Page) -> None:
    url = f"/api/studies/{served.study}/strength"
    bone: dict[str, Any] = {"site": "vertebra_L3", "load_case": "compression"}
    lesion = {"op": "add_lesion", "position_mm": AT, "diameter_mm": 12, "type": "lytic", "site": "vertebra_L3"}
    page.post(f"/api/studies/{served.study}/edits", {"edit": lesion})
    assert page.get(f"{url}/bones") == [{"site": "vertebra_L3", "lesions": 1, "load_cases": ["compression"]}]
    assert page.get(url, **bone)["state"] == "absent"

    assert page.post(url, bone)["state"] == "queued"
    assert page.post(url, bone)["state"] == "queued"
    assert served.jobs().count(("strength", "queued")) == 1
    assert served.work() == []
    done = page.get(url, **bone)
    assert (done["state"], done["progress"]) == ("done", 1.0)
    (tested,) = done["record"]["bones"]
    assert tested["site"] == "vertebra_L3"
    assert [cost["lesion"] for cost in tested["lesions"]] == ["P1"]
    assert len(done["figures"]) == 4
    for name, start in ((done["figures"][0], b"\x89PNG"), ("strength.pdf", b"%PDF"), ("meshes/vertebra_L3.inp", b"*")):
        assert page.client.get(f"{url}/files/{name}", params=bone).content.startswith(start)
    page.get(f"{url}/files/../../views/bones_index.json", 404, **bone)

    page.post(f"/api/studies/{served.study}/edits", {"edit": {"op": "reject", "finding": "P1"}})
    assert page.get(url, **bone)["state"] == "absent"


def test_a_bone_that_cannot_be_tested_says_why(served: Served, page: Page) -> None:
    views = served.settings.folder_of(served.study) / "views"
    np.save(views / "bones.npy", np.ones(SHAPE, dtype=np.uint16))
    page.post(f"/api/studies/{served.study}/strength", {"site": "vertebra_L3", "load_case": "compression"})
    with pytest.raises(UnsuitableStudyError, match="edge of the field of view"):
        served.work()
    assert not list(served.settings.folder_of(served.study).glob("strength/*"))


@pytest.mark.parametrize(("site", "load_case"), [("vertebra_L9", "compression"), ("vertebra_L3", "stance")])
def test_other_bones_and_loads_are_refused(served: Served, page: Page, site: str, load_case: str) -> None:
    url = f"/api/studies/{served.study}/strength"
    said = page.post(url, {"site": site, "load_case": load_case}, 422)
    assert "vertebra_L3 (compression)" in json.dumps(said)
    page.get("/api/studies/nobodys/strength", 404, site="vertebra_L3", load_case="compression")
