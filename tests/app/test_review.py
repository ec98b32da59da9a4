"""A study from the worklist to the signature."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from serving import Page, Served, another_study, who
from sqlalchemy import event

from osteoscope.app.edit_shapes import EditIn
from osteoscope.app.supervisor import failed
from osteoscope.deliver.review import files
from osteoscope.deliver.review.edits import EDITS
from osteoscope.domain import codec
from osteoscope.domain.reading import SCHEMA, Reading
from osteoscope.errors import ModelError, OutputError
from osteoscope.reading import planar_plans
from osteoscope.store import queue
from osteoscope.store.rows import Study

Plain = dict[str, Any]


@pytest.fixture
def page(served: Served) -> Page:
    return served.login("sig")


def said(reading: Plain, site: str) -> Plain:
    return next(s for s in reading["sites"] if s["site"] == site)


def level(reading: Plain, site: str, name: str = "siopen") -> float | None:
    return next((m["value"] for m in said(reading, site)["measures"] if m["name"] == name), None)


def total(reading: Plain, name: str = "siopen_total") -> Plain:
    return dict(next(m for m in reading["measures"] if m["name"] == name))


def edit(page: Page, study: str, status: int = 200, **what: Any) -> Any:
    return page.post(f"/api/studies/{study}/edits", {"edit": what}, status)


def test_the_worklist_shows_and_finds_the_study(page: Page) -> None:
    listed = page.get("/api/studies")
    assert listed["total"] == 1
    item = listed["items"][0]
    assert (item["state"], item["kind"], item["date"], item["progress"]) == ("read", "nm-planar", "2026-02-03", 1.0)
    assert item["scores"]["siopen_total"] is not None
    assert page.get("/api/studies", search=item["patient_id"].lower())["total"] == 1
    assert page.get("/api/studies", search="2026-02 nobody")["total"] == 0
    assert page.get("/api/studies", search="%")["total"] == 0
    assert page.get("/api/studies", kind="ct")["total"] == 0
    assert page.get("/api/studies", state="read", order="-date")["total"] == 1


def test_pictures_and_outlines_are_those_of_the_study(served: Served, page: Page) -> None:
    study = served.study
    views = page.get(f"/api/studies/{study}/views")["views"]
    assert [view["name"] for view in views] == ["anterior", "posterior"]
    raw = page.client.get(views[0]["url"]).content
    assert len(raw) == 4 * views[0]["rows"] * views[0]["columns"]
    outlines = page.get(f"/api/studies/{study}/outlines")["views"]["anterior"]
    assert {"skull", "spine", "pelvis"} <= set(outlines["sites"])
    assert {"thoracic_spine", "pelvis"} <= set(outlines["units"])
    columns, rows = zip(*outlines["units"]["pelvis"][0], strict=True)
    assert 0 <= min(columns) < max(columns) <= views[0]["columns"]
    assert 0 <= min(rows) < max(rows) <= views[0]["rows"]
    assert page.get(f"/api/studies/{study}/pictures/..%2Fviews.json", 404)
    assert page.get(f"/api/studies/{study}/pictures/ct.nii.gz", 404)


def test_a_level_set_by_hand_counts_and_can_be_undone(served: Served, page: Page) -> None:
    study = served.study
    program = page.get(f"/api/studies/{study}/reading", which="program")
    before = level(program, "skull")
    assert before is not None
    wanted = 6 if before < 6 else 5
    after = edit(page, study, op="level", site="skull", level=wanted)
    assert level(after["reading"], "skull") == wanted
    method = next(m["method"] for m in said(after["reading"], "skull")["measures"] if m["name"] == "siopen")
    assert method == "set by sig"
    assert total(after["reading"])["value"] == total(program)["value"] + wanted - before
    assert after["reading"]["reader"] == {"kind": "person", "name": "sig", "version": "", "models": []}
    first = after["draft"]["version"]
    assert after["draft"] == {"number_of_edits": 1, "can_undo": True, "can_redo": False, "version": first}
    undone = page.post(f"/api/studies/{study}/undo")
    assert level(undone["reading"], "skull") == before
    second = undone["draft"]["version"]
    assert undone["draft"] == {"number_of_edits": 0, "can_undo": False, "can_redo": True, "version": second}
    assert first != second
    assert level(page.post(f"/api/studies/{study}/redo")["reading"], "skull") == wanted
    page.post(f"/api/studies/{study}/redo", status=400)
    assert page.get(f"/api/studies/{study}/reading", which="program") == program


def test_not_assessable_leaves_the_total_a_range(served: Served, page: Page) -> None:
    study = served.study
    after = edit(page, study, op="level", site="skull", level=None)["reading"]
    assert said(after, "skull")["status"] == "not_assessable"
    assert level(after, "skull") is None
    now = total(after)
    before = total(page.get(f"/api/studies/{study}/reading", which="program"))["interval"]
    assert 6 <= now["interval"][1] - now["interval"][0] <= before[1] - before[0] + 6
    assert "11 of 12" in now["method"]


def test_a_focus_is_added_moved_and_removed_and_the_scores_follow(served: Served, page: Page) -> None:
    study = served.study
    outlines = page.get(f"/api/studies/{study}/outlines")["views"]["anterior"]["units"]
    ring = outlines["skull"][0]
    x, y = (sum(v[axis] for v in ring) / len(ring) for axis in (0, 1))
    program = page.get(f"/api/studies/{study}/reading", which="program")
    added = edit(page, study, op="add", view="anterior", x=x, y=y)["reading"]
    focus = next(f for f in added["findings"] if f["id"] == "P1")
    assert (focus["site"], focus["kind"], focus["confidence"]) == ("skull", "focal", 1.0)
    assert "P1" in said(added, "skull")["evidence"]
    assert level(added, "skull") >= 1  # type: ignore[operator]
    untouched = [s for s in program["sites"] if s["site"] not in {"skull", "craniofacial"}]
    assert untouched == [s for s in added["sites"] if s["site"] not in {"skull", "craniofacial"}]
    moved = edit(page, study, op="move", finding="P1", site="pelvis")["reading"]
    assert level(moved, "skull") == level(program, "skull")
    assert "P1" in said(moved, "pelvis")["evidence"]
    removed = edit(page, study, op="remove", finding="P1")["reading"]
    assert "P1" not in {f["id"] for f in removed["findings"]}
    assert any(aside["reason"] == "removed by sig" for aside in removed["set_aside"])
    assert edit(page, study, op="add", view="anterior", x=x, y=y)["reading"]["findings"][-1]["id"] == "P2"
    shown = page.get(f"/api/studies/{study}/outlines")["views"]["anterior"]["findings"]
    assert "P2" in shown


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ({"op": "level", "site": "skull", "level": 7}, 422),
        ({"op": "level", "site": "femur_left", "level": 1}, 400),
        ({"op": "dance"}, 422),
        ({"op": "remove", "finding": "F999"}, 400),
        ({"op": "add", "view": "anterior", "x": -3, "y": 5}, 400),
        ({"op": "add", "view": "anterior", "x": 3, "y": 5}, 400),  # in the air
        ({"op": "outline", "view": "posterior", "points": [[1, 1], [9, 1], [9, 9]]}, 400),
        ({"op": "move", "finding": "F999", "site": "pelvis"}, 400),
        ({"op": "type", "finding": "F1", "type": "lytic"}, 400),
        ({"op": "level", "site": "skull", "level": 1, "extra": 1}, 422),
    ],
)
def test_an_edit_that_does_not_fit_leaves_nothing_behind(
    served: Served, page: Page, what: dict[str, Any], status: int
) -> None:
    edit(page, served.study, status, **what)
    assert page.get(f"/api/studies/{served.study}")["draft"]["number_of_edits"] == 0
    assert len(page.get(f"/api/studies/{served.study}")["readings"]) == 1


def test_every_op_has_a_shape() -> None:
    shapes = EditIn.model_json_schema()["$defs"].values()
    ops = [op for shape in shapes for op in _values(shape["properties"].get("op", {}))]
    assert sorted(ops) == sorted(EDITS)


def _values(shape: Plain) -> list[str]:
    return list(shape.get("enum", [shape["const"]] if "const" in shape else []))


def test_signing_needs_the_patient_and_the_role(served: Served, page: Page) -> None:
    study = served.study
    right = who(page, study)
    served.login("rea").post(f"/api/studies/{study}/sign", right, 403)
    for wrong in ({"patient_id": "other"}, {"name": "Other^Name"}, {"birth_date": "1999-01-01"}):
        page.post(f"/api/studies/{study}/sign", {**right, **wrong}, 409)
    assert page.get(f"/api/studies/{study}")["state"] == "read"


def test_what_changed_since_it_was_shown_is_not_signed(served: Served, page: Page) -> None:
    study = served.study
    seen = who(page, study)
    after = edit(page, study, op="level", site="skull", level=3)["draft"]["version"]
    assert "since it was shown" in page.post(f"/api/studies/{study}/sign", seen, 409)["detail"]["found"]
    page.post(f"/api/studies/{study}/undo")
    page.post(f"/api/studies/{study}/sign", {**seen, "version": after}, 409)
    assert page.get(f"/api/studies/{study}")["state"] == "reviewed"
    page.post(f"/api/studies/{study}/sign", who(page, study))


def test_a_signed_reading_stands_and_is_only_amended(served: Served, page: Page) -> None:
    study = served.study
    changed = edit(page, study, op="level", site="skull", level=3)["reading"]
    edit(page, study, op="comment", text="seen with <b>the</b> team")
    assert page.get(f"/api/studies/{study}")["state"] == "reviewed"
    signed = page.post(f"/api/studies/{study}/sign", who(page, study))["reading"]
    assert served.work() == []
    delivered = page.get(f"/api/studies/{study}/delivery")
    assert delivered["done"]
    assert {"reading.json", "measurements.dcm", "report.pdf", "report.html"} <= set(delivered["files"])
    assert delivered["notes"] == []
    written = page.client.get(f"/api/studies/{study}/files/reading.json").json()
    assert written == page.get(f"/api/studies/{study}/reading")
    assert level(written, "skull") == level(changed, "skull") == 3
    assert written["provenance"]["settings"]["comment"] == "seen with <b>the</b> team"
    jsonschema.validate(written, codec.schema(Reading, SCHEMA))
    edit(page, study, 409, op="level", site="skull", level=2)
    page.post(f"/api/studies/{study}/undo", status=409)
    page.post(f"/api/studies/{study}/sign", who(page, study), 409)
    page.post(f"/api/studies/{study}/amend", {"reason": " "}, 400)
    page.post(f"/api/studies/{study}/amend", {"reason": "the left arm was overlooked"})
    edit(page, study, op="level", site="skull", level=2)
    assert level(page.get(f"/api/studies/{study}/reading", which=signed), "skull") == 3
    second = page.post(f"/api/studies/{study}/sign", who(page, study))["reading"]
    states = {r["id"]: r["state"] for r in page.get(f"/api/studies/{study}")["readings"]}
    assert states[signed] == "amended"
    assert states[second] == "signed"
    now = page.get(f"/api/studies/{study}/reading")
    assert now["provenance"]["settings"]["reason"] == "the left arm was overlooked"
    assert level(now, "skull") == 2


def test_the_difference_names_what_the_person_changed(served: Served, page: Page) -> None:
    study = served.study
    assert page.get(f"/api/studies/{study}/difference") == []
    before = level(page.get(f"/api/studies/{study}/reading"), "skull")
    edit(page, study, op="level", site="skull", level=5)
    found = page.get(f"/api/studies/{study}/difference")
    changed = {(d["site"], d["measure"]): d["program"] for d in found}
    assert changed.keys() == {
        ("study", "siopen_total"), ("study", "curie_total"), ("skull", "siopen"), ("craniofacial", "curie"),
    }  # fmt: skip
    assert changed[("skull", "siopen")] == before


def test_two_people_keep_drafts_of_their_own(served: Served, page: Page) -> None:
    study, other = served.study, served.login("ada")
    edit(page, study, op="level", site="skull", level=3)
    assert other.get(f"/api/studies/{study}")["draft"]["number_of_edits"] == 0
    edit(other, study, op="level", site="skull", level=4)
    assert level(page.get(f"/api/studies/{study}/reading"), "skull") == 3
    mine = [r["id"] for r in page.get(f"/api/studies/{study}")["readings"] if r["reader"] == "sig"]
    other.get(f"/api/studies/{study}/reading", 404, which=mine[0])
    page.post(f"/api/studies/{study}/sign", who(page, study))
    edit(other, study, 409, op="level", site="skull", level=1)
    other.post(f"/api/studies/{study}/amend", {"reason": "I disagree"})
    assert level(other.get(f"/api/studies/{study}/reading"), "skull") == 3


def test_a_draft_left_behind_by_a_signature_is_nowhere_taken_for_it(served: Served, page: Page) -> None:
    study, other = served.study, served.login("ada")
    later = another_study(served, "later", "2026-06-03")
    edit(other, study, op="level", site="skull", level=6)
    edit(page, study, op="level", site="skull", level=1)
    signed = page.post(f"/api/studies/{study}/sign", who(page, study))["reading"]
    seen = other.get(f"/api/studies/{study}/reading")
    assert (seen["reader"]["name"], level(seen, "skull")) == ("sig", 1)
    told = other.get(f"/api/studies/{study}")
    assert told["draft"]["number_of_edits"] == 0
    assert [r["base"] == signed for r in told["readings"] if r["state"] == "draft"] == [False]
    compared = [one.get(f"/api/studies/{later}/comparison", prior=study) for one in (page, other)]
    assert compared[0] == compared[1]
    other.post(f"/api/studies/{study}/amend", {"reason": "I disagree"})
    assert level(edit(other, study, op="level", site="skull", level=5)["reading"], "skull") == 5
    assert level(other.get(f"/api/studies/{study}/reading"), "skull") == 5
    assert [r["base"] for r in other.get(f"/api/studies/{study}")["readings"] if r["state"] == "draft"] == [signed]


def test_an_amendment_withdraws_the_words_of_another(served: Served, page: Page) -> None:
    study, other = served.study, served.login("ada")
    for op in ("comment", "soft_tissue"):
        edit(page, study, op=op, text="another patient's")
    page.post(f"/api/studies/{study}/sign", who(page, study))
    other.post(f"/api/studies/{study}/amend", {"reason": "wrong patient"})
    for op in ("comment", "soft_tissue"):
        edit(other, study, op=op, text="")
    assert "another patient's" not in json.dumps(other.get(f"/api/studies/{study}/reading"))


def test_a_prior_is_told_with_the_name_that_it_states(served: Served, page: Page) -> None:
    another_study(served, "earlier", "2025-06-03")
    with served.store.writing() as session:
        session.get_one(Study, "earlier").patient_name = "Other^Child"
    priors = page.get(f"/api/studies/{served.study}")["priors"]
    assert priors == [{"id": "earlier", "date": "2025-06-03", "patient_name": "Other^Child"}]


def test_the_audit_trail_has_views_changes_and_signatures(served: Served, page: Page) -> None:
    study = served.study
    page.get(f"/api/studies/{study}/reading")
    assert page.client.get(f"/api/studies/{study}/pictures/anterior.f32").status_code == 200
    edit(page, study, op="level", site="skull", level=3)
    page.get(f"/api/studies/{study}/difference")
    page.post(f"/api/studies/{study}/undo")
    page.post(f"/api/studies/{study}/sign", who(page, study))
    lines = served.login("ada").get("/api/audit", study=study)
    actions = [(line["user"], line["action"]) for line in reversed(lines)]
    assert [a for a in actions if a[0] == "sig"] == [
        ("sig", action) for action in ("view", "picture", "edit", "difference", "undo", "open", "sign")
    ]
    assert len(json.loads(json.dumps(lines))[0]["detail"]["sha256"]) == 64
    page.get("/api/audit", 403)


def test_a_study_is_read_again_while_nobody_edited_it(served: Served, page: Page) -> None:
    study = served.study
    assert page.post(f"/api/studies/{study}/read", {"tracer": "HDP"})["state"] == "arrived"
    page.post(f"/api/studies/{study}/read", {"tracer": "mIBG"}, 409)
    assert served.work() == []
    readings = page.get(f"/api/studies/{study}")["readings"]
    assert [r["kind"] for r in readings] == ["program", "program"]
    assert page.get(f"/api/studies/{study}/reading")["study"]["acquisition"]["tracer"] == "bone agent"
    assert page.get("/api/studies")["items"][0]["scores"]["siopen_total"] is None
    edit(page, study, op="comment", text="seen")
    page.post(f"/api/studies/{study}/read", {}, 409)


def test_nothing_is_edited_or_signed_while_the_program_reads_again(served: Served, page: Page) -> None:
    study = served.study
    edit(page, study, op="level", site="skull", level=3)
    page.post(f"/api/studies/{study}/undo")
    shown = who(page, study)
    for state in ("arrived", "reading"):
        set_state(served, state)
        for way, body in (("edits", {"edit": {"op": "comment", "text": "x"}}), ("undo", None), ("sign", shown)):
            refused = page.post(f"/api/studies/{study}/{way}", body, 409)["detail"]
            assert "reading it again" in refused["found"]
            assert "Wait" in refused["remedy"]
    set_state(served, "read")
    page.post(f"/api/studies/{study}/sign", shown)


def set_state(served: Served, state: str) -> None:
    with served.store.writing() as session:
        session.get_one(Study, served.study).state = state


def test_reading_again_overwrites_no_signature(served: Served, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    study, read_one = served.study, files.read_one
    page.post(f"/api/studies/{study}/read", {})

    def signed_meanwhile(*of: Any) -> Reading:
        read = read_one(*of)
        with served.store.writing() as session:
            row = session.get_one(Study, study)
            row.state, row.siopen_total, row.lesions = "signed", 71, 70
        return read

    monkeypatch.setattr(files, "read_one", signed_meanwhile)
    assert served.work() == []
    listed = page.get(f"/api/studies/{study}")
    assert (listed["state"], listed["scores"]["siopen_total"], listed["scores"]["lesions"]) == ("signed", 71, 70)
    # The job once more, as after a worker that died before it could say that it was done.
    with served.store.writing() as session:
        failed(session, queue.put(session, "read", study), "the worker ended")
    assert served.work() == []
    assert page.get(f"/api/studies/{study}")["state"] == "signed"
    assert [r["kind"] for r in page.get(f"/api/studies/{study}")["readings"]] == ["program", "program"]


def test_a_full_database_refuses_the_edit_and_keeps_the_others(served: Served, page: Page) -> None:
    study = served.study
    edit(page, study, op="level", site="skull", level=3)
    pages: list[int] = []

    def small(connection: Any, _record: object) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        pages.append(connection.execute(f"PRAGMA max_page_count = {used}").fetchone()[0])

    event.listen(served.store.engine, "connect", small)
    served.store.engine.dispose()
    refused = edit(page, study, 507, op="comment", text="x" * 4000)
    assert "Nothing of this step was kept" in refused["detail"]["remedy"]
    assert pages
    event.remove(served.store.engine, "connect", small)
    served.store.engine.dispose()
    assert page.get(f"/api/studies/{study}")["draft"]["number_of_edits"] == 1
    assert edit(page, study, op="comment", text="x" * 4000)["draft"]["number_of_edits"] == 2


def test_a_tampered_model_fails_the_study_and_loses_nothing(
    served: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = served.study
    before = page.get(f"/api/studies/{study}/reading")
    report = page.client.get(f"/api/studies/{study}/files/report.html").content
    page.post(f"/api/studies/{study}/read", {})

    def tampered(name: str) -> None:
        raise ModelError(f"load model {name}", "weights that do not match their card", "Install again")

    monkeypatch.setattr(planar_plans, "shipped", tampered)
    with pytest.raises(ModelError, match="do not match their card"):
        served.work()
    assert page.get(f"/api/studies/{study}/reading") == before
    assert page.client.get(f"/api/studies/{study}/files/report.html").content == report


def test_a_disk_that_is_full_while_a_study_is_read_again_leaves_what_was_there(
    served: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = served.study
    before, outlines = (page.get(f"/api/studies/{study}/{what}") for what in ("reading", "outlines"))
    written = page.get(f"/api/studies/{study}")["files"]
    page.post(f"/api/studies/{study}/read", {})

    def full(*_: object) -> None:
        raise OutputError("write program.part", "no space left on device", "Free some")

    monkeypatch.setattr(files, "deliver", full)
    with pytest.raises(OutputError, match="no space"):
        served.work()
    assert page.get(f"/api/studies/{study}")["files"] == written
    assert page.get(f"/api/studies/{study}/reading") == before
    assert page.get(f"/api/studies/{study}/outlines") == outlines


def test_a_picture_that_the_browser_has_is_not_sent_again_but_asked_for_and_noted(served: Served) -> None:
    page = served.login("rea")
    url = page.get(f"/api/studies/{served.study}/views")["views"][0]["url"]
    first = page.client.get(url)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = page.client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert page.client.get(url, headers={"If-None-Match": '"older"'}).content == first.content
    lines = served.login("ada").get("/api/audit", study=served.study)
    assert [line["action"] for line in lines].count("picture") == 3
    assert page.client.post("/api/logout", headers={"X-CSRF-Token": page.csrf}).headers["Clear-Site-Data"] == '"cache"'
    assert page.client.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 401
