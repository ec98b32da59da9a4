"""Signed objects go to an Orthanc and come back as they were."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
import uvicorn
from examples import ct, grid_of
from files import on_disk
from foreign import bare, save
from pydicom.uid import Comprehensive3DSRStorage, ImplicitVRLittleEndian, SegmentationStorage
from pynetdicom import AE, evt
from serving import PASSWORD, Served, serve, who
from sqlalchemy import select

from osteoscope.app.jobs import JOBS
from osteoscope.app.results import folder_of
from osteoscope.deliver.outputs import NOT_DICOM
from osteoscope.dicom.seg import write_bones_seg
from osteoscope.dicom.send import send
from osteoscope.dicom.sr import write_sr
from osteoscope.dicom.stow import store
from osteoscope.domain import codec
from osteoscope.errors import InvalidValueError, OutputError
from osteoscope.store.queue import finish, take
from osteoscope.store.readings import body_of, packed
from osteoscope.store.rows import Job, Reading

ORTHANC, PLUGIN = Path("/usr/sbin/Orthanc"), Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of an Orthanc, by HTTP and by DICOM."""
    if not ORTHANC.is_file() or not PLUGIN.is_file():
        pytest.skip("Orthanc with DICOMweb (Debian package orthanc and orthanc-dicomweb) is absent")
    port, dicom = free_port(), free_port()
    setup = {
        "StorageDirectory": str(tmp_path / "pacs"),
        "IndexDirectory": str(tmp_path / "pacs"),
        "HttpPort": port,
        "HttpBindAddresses": ["127.0.0.1"],
        "DicomPort": dicom,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(setup))
    with (tmp_path / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([str(ORTHANC), str(tmp_path / "orthanc.json")], stdout=log, stderr=log)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{url}/system").raise_for_status()
            break
        except httpx.HTTPError:
            assert process.poll() is None, (tmp_path / "orthanc.log").read_text()
            assert time.monotonic() < end, "Orthanc did not start"
            time.sleep(0.2)
    yield url, f"dicom://ORTHANC@127.0.0.1:{dicom}"
    process.terminate()
    process.wait(timeout=30)


def elements(file: bytes) -> str:
    """The data set of a file, without its preamble and meta information, which belong to who stores it."""
    return pydicom.dcmread(io.BytesIO(file)).to_json()


@pytest.mark.parametrize("way", ["STOW", "C-STORE"])
def test_signed_objects_arrive_and_come_back_as_they_were(served: Served, orthanc: tuple[str, str], way: str) -> None:
    web, dicom = orthanc
    sending = serve(replace(served.settings, pacs=f"{web}/dicom-web" if way == "STOW" else dicom))
    page, study = sending.login("sig"), sending.study
    page.post(f"/api/studies/{study}/edits", {"edit": {"op": "level", "site": "skull", "level": 3}})
    signed = page.post(f"/api/studies/{study}/sign", who(page, study))["reading"]
    sending.work()
    delivery = page.get(f"/api/studies/{study}/delivery")
    assert delivery["done"]
    with sending.store.reading() as session:
        folder = folder_of(sending.settings, study, session.get_one(Reading, signed))
    sent = sorted(path.read_bytes() for path in folder.rglob("*.dcm"))
    assert len(sent) == len(delivery["sent"][0]["instances"]) >= 3
    ids = httpx.get(f"{web}/instances").json()
    kept = [httpx.get(f"{web}/instances/{one}/file").content for one in ids]
    if way == "STOW":
        assert sorted(kept) == sent
    assert sorted(map(elements, kept)) == sorted(map(elements, sent))
    found = httpx.get(f"{web}/dicom-web/studies", headers={"Accept": "application/dicom+json"}).json()
    assert found[0]["00100020"]["Value"] == [page.get(f"/api/studies/{study}")["patient_id"]]
    sending.store.engine.dispose()


@pytest.fixture
def plain_archive() -> Iterator[tuple[str, list[pydicom.Dataset]]]:
    """The address of an archive that takes Implicit VR Little Endian alone, and what it was sent."""
    kept: list[pydicom.Dataset] = []

    def keep(event: evt.Event) -> int:
        kept.append(event.dataset)
        return 0

    entity, port = AE(ae_title="PLAIN"), free_port()
    for kind in (SegmentationStorage, Comprehensive3DSRStorage):
        entity.add_supported_context(kind, ImplicitVRLittleEndian)
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    assert server is not None
    yield f"dicom://PLAIN@127.0.0.1:{port}", kept
    server.shutdown()


def test_an_archive_that_takes_the_default_syntax_alone_gets_all(
    tmp_path: Path, plain_archive: tuple[str, list[pydicom.Dataset]]
) -> None:
    address, kept = plain_archive
    example = on_disk(ct(grid_of((10.0, 6.0, 6.0)), 1), tmp_path / "ct")
    paths = [tmp_path / "bones.dcm", tmp_path / "measurements.dcm"]
    write_bones_seg(example.case, example.reading, paths[0])
    write_sr(example.case, example.reading, paths[1])
    assert len(send(paths, address).instances) == 2
    sent = [pydicom.dcmread(path) for path in paths]
    assert [one.SOPInstanceUID for one in kept] == [one.SOPInstanceUID for one in sent]
    assert kept[0].PixelData == sent[0].PixelData
    assert kept[1].ContentSequence == sent[1].ContentSequence


@pytest.fixture
def listening(served: Served) -> Iterator[str]:
    """The address of the server under test, on a port."""
    port = free_port()
    running = uvicorn.Server(uvicorn.Config(served.client.app, port=port, log_level="warning"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(10)


def test_an_archive_sends_by_stow_and_is_told_what_arrived(
    served: Served, listening: str, orthanc: tuple[str, str], child: list[tuple[str, bytes]]
) -> None:
    web, _ = orthanc
    given = [httpx.post(f"{web}/instances", content=data).raise_for_status().json()["ID"] for _, data in child]
    server = {"Url": f"{listening}/dicom-web/", "Username": "rea", "Password": PASSWORD}
    httpx.put(f"{web}/dicom-web/servers/osteoscope", json=server).raise_for_status()
    asked = {"Resources": given, "Synchronous": True}
    sent = httpx.post(f"{web}/dicom-web/servers/osteoscope/stow", json=asked, timeout=60)
    assert sent.status_code == 200, sent.text
    kept = [path.read_bytes() for path in served.settings.uploads.rglob("*instance.dcm")]
    assert sorted(map(elements, kept)) == sorted(elements(data) for _, data in child)
    assert ("intake", "queued") in served.jobs()


def test_a_pacs_that_is_away_loses_nothing_and_is_tried_again(served: Served) -> None:
    sending = serve(replace(served.settings, pacs=f"http://user:secret@127.0.0.1:{free_port()}/dicom-web"))
    page, study = sending.login("sig"), sending.study
    page.post(f"/api/studies/{study}/sign", who(page, study))
    with pytest.raises(OutputError) as caught:
        sending.work()
    assert "secret" not in str(caught.value)
    with sending.store.writing() as session:
        job = session.scalars(select(Job).where(Job.kind == "send")).one()
        finish(session, job.id, str(caught.value))
    delivery = page.get(f"/api/studies/{study}/delivery")
    assert "measurements.dcm" in delivery["files"]
    assert delivery["done"]
    assert not delivery["sent"][0]["ok"]
    page.post(f"/api/studies/{study}/send")
    with sending.store.writing() as session:
        waiting = take(session, ("deliver",))
        assert waiting is not None
    sending.store.engine.dispose()


def test_objects_that_should_be_there_and_are_not_are_an_error(served: Served) -> None:
    page, study = served.login("sig"), served.study
    signed = page.post(f"/api/studies/{study}/sign", who(page, study))["reading"]
    with pytest.raises(OutputError, match="no DICOM object was written"):
        JOBS["send"](served.settings, served.store, signed)
    lines = served.login("ada").get("/api/audit", study=study)
    assert "no DICOM object" in next(line["detail"]["problem"] for line in lines if line["action"] == "not sent")


def test_a_study_that_is_no_dicom_has_nothing_to_send(served: Served) -> None:
    with served.store.writing() as session:
        program = session.scalars(select(Reading)).one()
        plain = json.loads(body_of(session, program.id))
        plain["gaps"].append(codec.encode(NOT_DICOM))
        body = packed(json.dumps(plain).encode())
        session.add(
            Reading(
                id="r", study=program.study, reader="sig", kind="person", state="signed", base=program.id, body=body
            )
        )
    assert JOBS["send"](served.settings, served.store, "r") == {"instances": []}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (409, {}),
        (200, {}),
        (200, {"00081198": {"Value": [{"00081155": {"Value": ["1.2"]}, "00081197": {"Value": [272]}}]}}),
        (200, {"00081198": {"Value": [{"00081155": {"Value": []}, "00081197": None}]}}),
        (200, [1]),
        (200, {"00081199": []}),
        (200, {"00081199": {"Value": None}}),
        (200, {"00081199": {"Value": [{"00081155": {"Value": []}}]}}),
        (200, {"00081199": {"Value": [{"00081155": {"vr": "UI"}}]}}),
        (200, {"00081199": {"Value": [{"00081155": {"Value": ["1.2.3.another"]}}]}}),
    ],
)
def test_what_the_pacs_did_not_keep_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: Any
) -> None:
    (path,) = save(tmp_path, [bare(SegmentationStorage, "SEG")])
    monkeypatch.setattr(httpx, "post", lambda *_, **__: httpx.Response(status, json=body))
    with pytest.raises(OutputError, match="0 kept"):
        store([path], "http://127.0.0.1:1/dicom-web")


def test_what_the_pacs_names_as_kept_is_what_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = bare(SegmentationStorage, "SEG")
    (path,) = save(tmp_path, [instance])
    named = [{"00081155": {"vr": "UI", "Value": [uid]}} for uid in ("1.2.3", str(instance.SOPInstanceUID))]
    monkeypatch.setattr(httpx, "post", lambda *_, **__: httpx.Response(200, json={"00081199": {"Value": named}}))
    assert store([path], "http://127.0.0.1:1/dicom-web").instances == (str(instance.SOPInstanceUID),)
    path.write_bytes(b"x")
    with pytest.raises(OutputError, match=r"i000\.dcm.*Sign the study again"):
        store([path], "http://127.0.0.1:1/dicom-web")


def test_a_host_that_has_no_address_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = save(tmp_path, [bare(SegmentationStorage, "SEG")])

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(AE, "associate", unknown)
    with pytest.raises(OutputError, match=r"T at nowhere\.invalid:104: gaierror: .*Name or service"):
        send([path], "dicom://T@nowhere.invalid:104")


def test_whatever_stops_a_sending_is_in_the_audit_trail(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    page, study = served.login("sig"), served.study
    signed = page.post(f"/api/studies/{study}/sign", who(page, study))["reading"]

    def failing(*_: object) -> None:
        raise LookupError("an answer that nobody foresaw")

    monkeypatch.setattr("osteoscope.dicom.send.send", failing)
    monkeypatch.setattr("osteoscope.app.jobs._some", list)
    with pytest.raises(LookupError):
        JOBS["send"](served.settings, served.store, signed)
    lines = served.login("ada").get("/api/audit", study=study)
    problem = next(line["detail"]["problem"] for line in lines if line["action"] == "not sent")
    assert problem == "LookupError: an answer that nobody foresaw"


@pytest.mark.parametrize(
    "address",
    [
        "dicom://127.0.0.1:104", "dicom://T@127.0.0.1:x", f"dicom://{'T' * 17}@h:104", "ftp://h/", "nonsense",
        "dicom://PÄCS@h:104", r"dicom://A\B@h:104", "dicom:// @h:104",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_named(tmp_path: Path, address: str) -> None:
    (tmp_path / "a.dcm").write_bytes(b"x")
    with pytest.raises(InvalidValueError, match="send to a PACS"):
        send([tmp_path / "a.dcm"], address)
