"""Images that came before: found again by their pixels, mended where they were broken, kept once."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Callable

import pydicom
import pytest
from serving import PASSWORD, Page, Served, sorted_only, worked_off
from sqlalchemy import select

from osteoscope.store.people import add_user
from osteoscope.store.rows import Study

Files = list[tuple[str, bytes]]
Fresh = Callable[..., tuple[Served, Page]]


def black(files: Files) -> Files:
    """The same headers around pixels that show nothing."""
    made = []
    for name, data in files:
        dataset, out = pydicom.dcmread(io.BytesIO(data)), io.BytesIO()
        dataset.PixelData = bytes(len(dataset.PixelData))
        dataset.save_as(out)
        made.append((name, out.getvalue()))
    return made


def cut_off(files: Files) -> Files:
    *whole, (name, data) = files
    return [*whole, (name, data[: len(data) // 2])]


def studies(served: Served) -> list[Study]:
    with served.store.reading() as session:
        return list(session.scalars(select(Study).order_by(Study.arrived, Study.id)))


def kept(served: Served) -> set[str]:
    return {path.name for path in served.settings.uploads.iterdir()}


def told(page: Page, upload: str) -> str:
    return " ".join(note["problem"] for note in page.get(f"/api/uploads/{upload}")["notes"])


def set_state(served: Served, state: str, **more: str) -> None:
    with served.store.writing() as session:
        study = session.scalars(select(Study)).one()
        study.state = state
        for name, value in more.items():
            setattr(study, name, value)


def test_the_same_images_come_twice_and_are_one_study_kept_once(fresh: Fresh, child: Files) -> None:
    served, page = fresh()
    first = page.send(child)["upload"]
    again = page.send(child)["upload"]
    sorted_only(served)
    assert page.get("/api/studies")["total"] == 1
    state = page.get(f"/api/uploads/{again}")
    assert state["studies"] == [page.get("/api/studies")["items"][0]["id"]]
    assert "here already" in told(page, again)
    assert kept(served) == {first}
    beside = page.send([*child, ("empty.dcm", b"")])["upload"]
    sorted_only(served)
    assert "here already" in told(page, beside)
    assert kept(served) == {first, beside}


def test_a_machine_that_sends_the_same_again_is_told_of_each_file(fresh: Fresh, child: Files) -> None:
    served, page = fresh()
    page.send(child)
    parts = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for _, data in child)
    basic = base64.b64encode(f"rea:{PASSWORD}".encode()).decode()
    headers = {"Content-Type": "multipart/related; boundary=b", "Authorization": f"Basic {basic}"}
    answer = page.client.post("/dicom-web/studies", content=parts + b"--b--\r\n", headers=headers)
    assert len(answer.json()["00081199"]["Value"]) == len(child)
    sorted_only(served)
    assert answer.headers["X-Upload"] not in kept(served)


def test_who_brings_the_images_of_a_closed_study_sees_it(fresh: Fresh, child: Files) -> None:
    served, page = fresh(private=True)
    with served.store.writing() as session:
        for name in ("sig", "other"):
            add_user(session, name, PASSWORD, "signer")
    page.send(child)
    sorted_only(served)
    sig = served.login("sig")
    assert sig.get("/api/studies")["total"] == 0
    for _ in range(2):
        sig.send(child)
    sorted_only(served)
    assert sig.get("/api/studies")["total"] == 1
    assert served.login("other").get("/api/studies")["total"] == 0
    said = [line["user"] for line in served.login("ada").get("/api/audit") if line["action"] == "access by upload"]
    assert said == ["sig"]


@pytest.mark.parametrize("state", ["arrived", "failed", "read"])
def test_who_knows_the_header_alone_of_a_closed_study_sees_his_own_images(
    fresh: Fresh, child: Files, state: str
) -> None:
    served, page = fresh(private=True)
    with served.store.writing() as session:
        add_user(session, "sig", PASSWORD, "signer")
    first = page.send(child)["upload"]
    sorted_only(served)
    set_state(served, state)
    closed = page.get("/api/studies")["items"][0]["id"]
    sig = served.login("sig")
    second = sig.send(black(child))["upload"]
    sorted_only(served)
    (his,) = sig.get("/api/studies")["items"]
    assert his["id"] != closed
    assert {one.id: one.upload for one in studies(served)} == {closed: first, his["id"]: second}


def test_a_study_that_was_cut_off_is_mended_by_the_whole_one(fresh: Fresh, child: Files) -> None:
    served, page = fresh()
    page.send(cut_off(child))
    assert "Mend the files" in worked_off(served)[-1]
    (broken,) = page.get("/api/studies")["items"]
    assert broken["state"] == "failed"
    whole = page.send(child)["upload"]
    assert worked_off(served) == ["", ""]
    (mended,) = page.get("/api/studies")["items"]
    assert (mended["id"], mended["state"], mended["problem"]) == (broken["id"], "read", "")
    assert "had failed" in told(page, whole)
    assert kept(served) == {whole}
    page.send(child)
    sorted_only(served)
    assert page.get("/api/studies")["total"] == 1


def test_a_study_that_failed_is_read_again_from_the_same_images(fresh: Fresh, child: Files) -> None:
    served, page = fresh()
    page.send(child)
    sorted_only(served)
    set_state(served, "failed", problem="a model is absent")
    whole = page.send(child)["upload"]
    sorted_only(served)
    (study,) = studies(served)
    assert (study.state, study.problem, study.upload) == ("arrived", "", whole)
    assert served.jobs().count(("read", "queued")) == 1
    assert kept(served) == {whole}


def test_a_study_whose_files_are_gone_gets_those_that_come_again(served: Served, child: Files) -> None:
    page = served.login("rea")
    shutil.rmtree(served.settings.uploads)
    served.settings.uploads.mkdir()
    whole = page.send(child)["upload"]
    assert worked_off(served) == [""]
    (study,) = studies(served)
    assert (study.state, study.upload) == ("read", whole)
    assert kept(served) == {whole}


@pytest.mark.parametrize("bare", [False, True])
def test_a_study_of_before_is_known_by_the_pixels_of_the_files_that_were_kept(
    served: Served, child: Files, bare: bool
) -> None:
    (study,) = studies(served)
    now = study.fingerprint
    set_state(served, "read", fingerprint=study.identity)
    if bare:
        shutil.rmtree(served.settings.files_of(study.upload))
    page = served.login("rea")
    page.send(child)
    if not bare:
        page.send(black(child))
    sorted_only(served)
    found = studies(served)
    assert [one.fingerprint for one in found if one.id == study.id] == [now]
    assert len(found) == (1 if bare else 2)
    assert len({one.identity for one in found}) == 1


def test_what_readers_of_a_reader_study_see_is_not_read_again_by_an_upload(served: Served, child: Files) -> None:
    body = {"name": "pilot", "studies": [served.study], "readers": ["sig"]}
    served.login("ada").post("/api/trials", body)
    set_state(served, "failed")
    page = served.login("rea")
    whole = page.send(child)["upload"]
    sorted_only(served)
    (study,) = studies(served)
    assert (study.state, study.upload) == ("failed", whole)
    assert ("read", "queued") not in served.jobs()
