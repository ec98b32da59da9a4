"""One bad file never takes the others with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foreign import ct_stack, errors_against, nm, ramp, reading, save, set_fields

from osteoscope.dicom.intake import sandbox
from osteoscope.dicom.intake.sandbox import Sandbox
from osteoscope.dicom.load import IntakeOptions, Limits
from osteoscope.errors import IntakeError

QUICK = IntakeOptions(limits=Limits(worker_seconds=2.0))


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers whose decoders crash on files that are named so."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setattr(sandbox, "WORKER", "crashing_worker")


@pytest.mark.usefixtures("crashing")
def test_files_that_kill_the_scan_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    paths = save(tmp_path, ct_stack())
    for name in ("segfault", "abort", "hang", "greedy", "leave"):
        (tmp_path / f"{name}.dcm").write_bytes(paths[0].read_bytes())
    with reading(tmp_path, QUICK) as read:
        assert len(read.study.sources) == 12
        assert errors_against(read.study, ramp).max() <= 0.5
        assert read.says("refused", "segfault.dcm", "crashed the decoder")
        assert read.says("refused", "abort.dcm", "give up")
        assert read.says("refused", "hang.dcm", "longer than 2 s")
        assert read.says("refused", "greedy.dcm", "GiB of memory", "Limits.worker_bytes")
        assert read.says("refused", "leave.dcm", "code 3")


@pytest.mark.usefixtures("crashing")
def test_a_slice_that_kills_its_decoder_is_left_out_by_name(tmp_path: Path) -> None:
    paths = save(tmp_path, ct_stack())
    paths[11].rename(tmp_path / "pixels-segfault.dcm")
    with reading(tmp_path, QUICK) as read:
        assert len(read.study.sources) == 11
        assert read.says("refused", "pixels-segfault.dcm", "crashed the decoder")
    for number in range(6):
        paths[number].rename(tmp_path / f"pixels-abort{number}.dcm")
    with reading(tmp_path, QUICK) as read:
        assert not read.studies
        assert read.says("refused", "6 files or more cannot be decoded")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on processor time")
@pytest.mark.usefixtures("crashing")
def test_processor_time_is_limited_without_the_parent(tmp_path: Path) -> None:
    (tmp_path / "spin").touch()
    limits = Limits(worker_seconds=1.0)
    with Sandbox(limits) as box:
        child = box._start()
        child.send({"op": "look", "file": str(tmp_path / "spin")})
        assert "processor time" in child.receive(20.0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on memory")
def test_memory_is_limited_on_a_real_file(tmp_path: Path) -> None:
    large = nm([np.ones((4096, 4096), np.uint16)] * 4, ["anterior", "posterior"])
    save(tmp_path, [set_fields(large, {"NumberOfFrames": 4})])
    small = IntakeOptions(limits=Limits(worker_bytes=450 * 2**20))
    with Sandbox(small.limits) as box:
        out = tmp_path / "out.npy"
        answer = box.one(
            {
                "op": "counts",
                "file": str(tmp_path / "i000.dcm"),
                "out": str(out),
                "frames": [0, 1, 2, 3],
                "rescale": [1, 0],
            }
        )
        assert "memory" in answer["refused"]
        assert box.one({"op": "look", "file": str(tmp_path / "i000.dcm")})["kind"] == "dicom"


def test_a_worker_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "WORKER", "no_such_module")
    with Sandbox(Limits()) as box, pytest.raises(IntakeError, match="start the process that reads files"):
        box.one({"op": "look", "file": "x"})


def test_the_worker_leaves_when_its_parent_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", sandbox.WORKER, "{}"], input="", capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() in {'{"limited": true}', '{"limited": false}'}


def test_the_scan_imports_neither_simpleitk_nor_highdicom() -> None:
    code = "import sys, osteoscope.dicom.load; print(sorted({'SimpleITK', 'highdicom', 'pydicom'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.strip() == "[]"
