"""What is sent in: kept before it is answered, sorted, read; what does not fit is turned away whole."""

from __future__ import annotations

import base64
import errno
import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest
from serving import PASSWORD, Page, Served, sorted_only

from osteoscope.app.arrivals import Landing, Sender
from osteoscope.app.server import open_server
from osteoscope.app.settings import Settings
from osteoscope.store.rows import Study, Upload

Files = list[tuple[str, bytes]]


def rested(served: Served) -> list[Path]:
    return sorted(p for p in served.settings.uploads.rglob("*") if p.is_file() and p.name != "arrival.json")


def test_an_upload_is_on_disk_before_it_is_answered(
    fresh: Callable[..., tuple[Served, Page]], child: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, page = fresh()
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(str(Path(f"/proc/self/fd/{handle}").readlink())))
    made = page.send(child)
    assert page.get(f"/api/uploads/{made['upload']}")["state"] == "received"
    assert [p.read_bytes() for p in rested(served)] == [data for _, data in child]
    assert len([name for name in synced if ".part/files/" in name]) == len(child)
    assert str(served.settings.uploads) in synced


def test_a_zip_and_junk_are_sorted_and_named(fresh: Callable[..., tuple[Served, Page]], child: Files) -> None:
    served, page = fresh()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in child:
            archive.writestr(f"../../{name}", data)
    junk = [("x<script>.txt", b"hello"), ("empty.dcm", b""), ("../../etc/passwd", b"root")]
    made = page.send([("all.zip", packed.getvalue()), *junk])
    sorted_only(served)
    state = page.get(f"/api/uploads/{made['upload']}")
    assert state["state"] == "done"
    assert len(state["studies"]) == 1
    named = " ".join(note["file"] for note in state["notes"])
    assert "x_script_.txt" in named
    assert "empty.dcm" in named
    assert all(path.parent == served.settings.files_of(made["upload"]) for path in rested(served))
    assert not (served.settings.home / "etc").exists()


def test_what_is_too_large_is_turned_away_and_leaves_nothing(fresh: Callable[..., tuple[Served, Page]]) -> None:
    served, page = fresh(upload_bytes=10_000)
    assert "larger than" in page.send([("a", b"x" * 20_000)], 413)["detail"]["found"]

    def unannounced() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 1000
        yield b"\r\n--b--\r\n"

    headers = {"X-CSRF-Token": page.csrf, "Content-Type": "multipart/form-data; boundary=b"}
    assert page.client.post("/api/uploads", content=unannounced(), headers=headers).status_code == 413
    assert list(served.settings.uploads.iterdir()) == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n--b--\r\n',
            400,
        ),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\ncut off', 400),
        ("multipart/form-data; boundary=b", b"--b\r\nX: " + b"y" * 20_000, 400),
    ],
)
def test_a_broken_body_leaves_nothing(
    fresh: Callable[..., tuple[Served, Page]], content_type: str, body: bytes, status: int
) -> None:
    served, page = fresh()
    headers = {"X-CSRF-Token": page.csrf, "Content-Type": content_type}
    answer = page.client.post("/api/uploads", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]["remedy"]
    assert list(served.settings.uploads.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing_half(
    fresh: Callable[..., tuple[Served, Page]], child: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, page = fresh()
    page.send(child)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "full" in page.send(child, 507)["detail"]["found"]
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
        assert "free on the server" in page.send(child, 507)["detail"]["found"]
    assert len(list(served.settings.uploads.iterdir())) == 1
    page.send(child)


def test_a_crash_between_disk_and_database_loses_nothing(
    fresh: Callable[..., tuple[Served, Page]], child: Files
) -> None:
    served, page = fresh()
    landing = Landing(served.settings.uploads, 10**9)
    for name, data in child:
        landing.begin(name)
        landing.write(data)
        landing.end()
    landing.keep(Sender("rea", "page", everyone=True))
    (served.settings.uploads / "cut-off.part" / "files").mkdir(parents=True)
    again = open_server(served.settings, work=False)
    assert [p.name for p in served.settings.uploads.iterdir()] == [landing.id]
    with again.store.reading() as session:
        assert session.get_one(Upload, landing.id).owner == "rea"
    sorted_only(served)
    assert page.get("/api/studies")["total"] == 1
    again.store.engine.dispose()


def test_stow_stores_with_a_name_and_password(fresh: Callable[..., tuple[Served, Page]], child: Files) -> None:
    served, page = fresh()
    parts = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for _, data in child)
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    client = type(page.client)(page.client.app)
    url = "/dicom-web/studies"
    assert client.post(url, content=parts + b"--b--\r\n", headers=headers).status_code == 401
    basic = {**headers, "Authorization": "Basic " + base64.b64encode(b"rea:wrong").decode()}
    assert client.post(url, content=parts + b"--b--\r\n", headers=basic).status_code == 401
    basic["Authorization"] = "Basic " + base64.b64encode(f"rea:{PASSWORD}".encode()).decode()
    told = client.post(url, content=parts + b"--b--\r\n", headers=basic)
    assert told.status_code == 200
    assert [one["00081155"]["Value"] for one in told.json()["00081199"]["Value"]] == [
        [str(pydicom.dcmread(io.BytesIO(data)).SOPInstanceUID)] for _, data in child
    ]
    sorted_only(served)
    assert page.get("/api/studies")["total"] == 1
    none = b"--b\r\nContent-Type: application/dicom\r\n\r\nno DICOM\r\n"
    some = client.post(url, content=none + parts + b"--b--\r\n", headers=basic)
    assert (some.status_code, len(some.json()["00081198"]["Value"])) == (202, 1)
    assert client.post(url, content=none + b"--b--\r\n", headers=basic).status_code == 409


def test_markup_in_a_name_stays_text(fresh: Callable[..., tuple[Served, Page]]) -> None:
    served, page = fresh()
    with served.store.writing() as session:
        session.add(Upload(id="u", owner="rea"))
        session.flush()
        session.add(
            Study(
                upload="u",
                fingerprint="f",
                label="l",
                kind="ct",
                owner="rea",
                patient_name="<img src=x onerror=alert(1)>",
            )
        )
    item = page.get("/api/studies", search="<img")["items"][0]
    assert item["patient_name"] == "<img src=x onerror=alert(1)>"
    assert page.client.get("/api/studies").headers["content-type"] == "application/json"


def test_a_home_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="file"):
        open_server(Settings(tmp_path / "file" / "home"), work=False)
    with pytest.raises(Exception, match="no folder"):
        open_server(Settings(tmp_path / "home", watch=str(tmp_path / "absent")), work=False)
