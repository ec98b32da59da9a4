"""A reader study from its plan to `osteoscope agree`."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from serving import PASSWORD, Page, Served, another_study

from osteoscope.deliver.agreement import AgreementOptions, compare_readers
from osteoscope.stats.resampling import Resampling
from osteoscope.store.people import add_user
from osteoscope.store.rows import TrialCase, now
from osteoscope.store.trials import Design, ordered


def begin(served: Served, **more: Any) -> str:
    studies = [served.study, another_study(served, "second", "2026-06-01")]
    body = {"name": "pilot", "studies": studies, "readers": ["rea", "sig"], "washout_days": 0, "seed": 3, **more}
    return str(served.login("ada").post("/api/trials", body)["id"])


def read_all(page: Page, trial: str, level: int) -> list[str]:
    """Read every case that is open, setting the skull to a level; the phases as they come."""
    phases: list[str] = []
    while True:
        turn = page.get(f"/api/trials/{trial}/next")
        if turn["case"] is None:
            return phases
        url = f"/api/trials/{trial}/cases/{turn['case']}"
        assert page.get(url)["study"] == turn["study"]
        page.post(f"{url}/edits", {"edit": {"op": "level", "site": "skull", "level": level}})
        page.post(f"{url}/finish", {"seconds": 12.5})
        phases.append(turn["phase"])


def test_alone_the_form_is_blank_and_aided_it_is_the_program_s(served: Served) -> None:
    trial, page = begin(served), served.login("rea")
    turn = page.get(f"/api/trials/{trial}/next")
    assert (turn["phase"], turn["done"], turn["of"]) == ("alone", 0, 4)
    url = f"/api/trials/{trial}/cases/{turn['case']}"
    for part in ("reading", "views", "pictures/anterior.f32"):
        page.get(f"{url}/{part}", 409)
    page.get(url)
    reading = page.get(f"{url}/reading")
    assert reading["findings"] == reading["set_aside"] == reading["intake"] == []
    assert all(m["value"] == 0 for s in reading["sites"] for m in s["measures"])
    said = json.dumps([reading, page.get(url), page.get(f"{url}/views"), turn])
    assert served.study not in said
    assert "SIM-" not in said
    assert "2026-0" not in json.dumps(reading["study"])
    assert page.get(f"{url}/outlines")["views"]["anterior"] == {"sites": {}, "units": {}, "findings": {}}
    raw = page.client.get(page.get(f"{url}/views")["views"][0]["url"])
    assert raw.status_code == 200
    added = page.post(f"{url}/edits", {"edit": {"op": "add", "view": "anterior", "x": 64, "y": 60, "site": "skull"}})
    levels = {s["site"]: m["value"] for s in added["reading"]["sites"] for m in s["measures"] if m["name"] == "siopen"}
    assert levels.pop("skull") == 1
    assert set(levels.values()) == {0}
    assert read_all(page, trial, 2) == ["alone"] * 2 + ["aided"] * 2
    assert page.get(f"/api/trials/{trial}/next") == {
        "case": None, "study": None, "phase": None, "wait_until": None, "done": 4, "of": 4,
    }  # fmt: skip


def test_nobody_looks_ahead_back_or_round_the_corner(served: Served) -> None:
    trial, page, other = begin(served), served.login("rea"), served.login("sig")
    first = page.get(f"/api/trials/{trial}/next")["case"]
    with served.store.reading() as session:
        later = [c.id for c in session.query(TrialCase).filter_by(reader="rea") if c.id != first]
    for case in later:
        page.get(f"/api/trials/{trial}/cases/{case}", 409)
    other.get(f"/api/trials/{trial}/cases/{first}", 404)
    assert page.get("/api/studies")["total"] == 0
    page.get(f"/api/studies/{served.study}/reading", 404)
    page.post(f"/api/trials/{trial}/cases/{first}/finish", {"seconds": 1}, 409)
    page.get(f"/api/trials/{trial}/cases/{first}")
    page.post(f"/api/trials/{trial}/cases/{first}/finish", {"seconds": 1})
    page.post(f"/api/trials/{trial}/cases/{first}/edits", {"edit": {"op": "comment", "text": "late"}}, 409)
    page.post(f"/api/trials/{trial}/cases/{first}/finish", {"seconds": 1}, 409)
    read_all(page, trial, 1)
    assert page.get("/api/studies")["total"] == 2
    assert other.get("/api/studies")["total"] == 0
    assert [t["readers"] for t in other.get("/api/trials")] == [[{"name": "sig", "done": 0, "of": 4}]]
    assert len(served.login("ada").get("/api/trials")[0]["readers"]) == 2


def test_what_readers_see_is_not_read_again_before_they_have_finished(served: Served) -> None:
    trial, admin = begin(served, readers=["rea"], phases=["alone"]), served.login("ada")
    refused = admin.post(f"/api/studies/{served.study}/read", {}, 409)["detail"]
    assert "reader study" in refused["found"]
    read_all(served.login("rea"), trial, 1)
    assert admin.post(f"/api/studies/{served.study}/read", {})["state"] == "arrived"
    body = {"name": "next", "studies": [served.study], "readers": ["rea"]}
    assert "arrived" in admin.post("/api/trials", body, 409)["detail"]["found"]


def test_the_wash_out_is_waited_for(served: Served) -> None:
    trial, page = begin(served, washout_days=28), served.login("rea")
    assert read_all(page, trial, 1) == ["alone", "alone"]
    turn = page.get(f"/api/trials/{trial}/next")
    assert turn["wait_until"] > now()
    with served.store.writing() as session:
        for case in session.query(TrialCase).filter_by(reader="rea"):
            case.finished = case.finished and "2026-01-01T00:00:00.000+00:00"
    assert page.get(f"/api/trials/{trial}/next")["phase"] == "aided"


def test_the_export_is_read_by_agree(served: Served, tmp_path: Path) -> None:
    trial, out = begin(served), tmp_path / "out"
    for name, level in (("rea", 1), ("sig", 2)):
        read_all(served.login(name), trial, level)
    admin = served.login("ada")
    packed = admin.client.get(f"/api/trials/{trial}/export").content
    served.login("rea").get(f"/api/trials/{trial}/export", 403)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(out)
    readers = [f"program={out / 'program.csv'}"]
    readers += [f"{name}-{phase}={out / phase / name}.csv" for phase in ("alone", "aided") for name in ("rea", "sig")]
    options = AgreementOptions("", Resampling(100, 0))
    done = compare_readers(readers, tmp_path / "agreement", options, lambda *_: None)
    assert list(done.problems) == []
    assert len(done.document["cases"]) == 2
    with (out / "alone" / "sig.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["siopen_skull"] for row in rows} == {"2"}
    assert {row["study"] for row in rows} == {"study-001", "study-002"}
    assert {row["patient"] for row in rows} == {"patient-001"}
    with (out / "times.csv").open() as stream:
        times = list(csv.DictReader(stream))
    assert len(times) == 8
    assert {row["seconds"] for row in times} == {"12.5"}
    assert all(float(row["seconds_by_server"]) >= 0 and row["opened"] <= row["finished"] for row in times)
    with (out / "time_with_and_without.csv").open() as stream:
        compared = {row["reader"]: list(row.values())[1:] for row in csv.DictReader(stream)}
    assert compared == {name: ["2", "12.5", "12.5", "0.0"] for name in ("rea", "sig")}
    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert b"SIM-" not in everything
    assert b"Simulated" not in everything


def test_readers_whose_names_are_alike_in_plain_letters_are_exported_apart(served: Served) -> None:
    levels = {"Möller": 1, "Müller": 2, "A B": 3, "A_B": 4, "a_b": 5, "M_ller_2": 6}
    with served.store.writing() as session:
        for name in levels:
            add_user(session, name, PASSWORD, "reader")
    trial = begin(served, readers=list(levels), phases=["alone"])
    for name, level in levels.items():
        read_all(served.login(name), trial, level)
    packed = served.login("ada").client.get(f"/api/trials/{trial}/export").content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    called = {"Möller": "M_ller", "Müller": "M_ller_3", "A B": "A_B_3", "A_B": "A_B", "a_b": "a_b_2"} | {
        "M_ller_2": "M_ller_2"
    }
    for name, level in levels.items():
        rows = list(csv.DictReader(io.StringIO(files[f"alone/{called[name]}.csv"])))
        assert [row["siopen_skull"] for row in rows] == [str(level)] * 2
        assert len([file for file in files if file.startswith(f"readings/alone/{called[name]}/")]) == 2
        assert (f"{name}: {called[name]}\n" in files["README.txt"]) == (name != called[name])
    for table in ("times.csv", "time_with_and_without.csv"):
        assert {row["reader"] for row in csv.DictReader(io.StringIO(files[table]))} == set(called.values())


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"readers": ["nobody"]}, "no user"),
        ({"readers": ["ada"]}, "an admin"),
        ({"readers": []}, "no readers"),
        ({"readers": ["rea", "rea"]}, "twice"),
        ({"washout_days": -1}, "wash-out"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(served: Served, more: dict[str, Any], found: str) -> None:
    body = {"name": "pilot", "studies": [served.study], "readers": ["rea"], **more}
    admin = served.login("ada")
    assert found in admin.post("/api/trials", body, 400)["detail"]["found"]
    assert admin.get("/api/trials") == []
    served.login("sig").post("/api/trials", body, 403)


def test_orders_differ_by_reader_and_phase_and_repeat_by_seed() -> None:
    studies = tuple(f"s{n}" for n in range(20))
    design = Design("x", studies, ("a", "b"), ("alone", "aided"), 0, 1)
    orders = {(r, p): tuple(ordered(design, r, p)) for r in design.readers for p in design.phases}
    assert len(set(orders.values())) == 4
    assert all(sorted(order) == sorted(studies) for order in orders.values())
    again = Design("y", tuple(reversed(studies)), ("a", "b"), ("alone", "aided"), 0, 1)
    assert tuple(ordered(again, "a", "alone")) == orders["a", "alone"]


def test_a_prior_is_listed_and_compared(served: Served) -> None:
    page, later = served.login("sig"), another_study(served, "second", "2026-06-01")
    found = page.get(f"/api/studies/{later}")
    assert [prior["id"] for prior in found["priors"]] == [served.study]
    page.post(f"/api/studies/{later}/edits", {"edit": {"op": "level", "site": "skull", "level": 6}})
    response = page.get(f"/api/studies/{later}/comparison", prior=served.study)
    skull = next(course for course in response["segments"] if course["site"] == "skull")
    assert skull["levels"][1]["value"] == 6
    assert response["comparisons"][0]["scores"][0]["verdict"]["category"]
    page.get(f"/api/studies/{served.study}/comparison", 409, prior=served.study)
