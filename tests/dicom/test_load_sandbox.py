"""One bad file never takes the others with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foreign import HEIGHTS, behind, child, ct_stack, enhanced_ct, errors_against, nm, ramp, reading, save
from pydicom.uid import JPEGLSLossless

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
    save(tmp_path, [nm([np.ones((8192, 8192), np.uint16)], ["anterior"])])
    small = IntakeOptions(limits=Limits(worker_bytes=450 * 2**20))
    with Sandbox(small.limits) as box:
        out = tmp_path / "out.npy"
        answer = box.one(
            {
                "op": "counts",
                "file": str(tmp_path / "i000.dcm"),
                "out": str(out),
                "frame": 0,
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


@pytest.mark.parametrize("seed", [0, 1])
def test_mutated_files_end_in_a_source_or_a_note(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    packed = nm([child(), behind()])
    packed.compress(JPEGLSLossless, generate_instance_uid=False)
    objects = [*ct_stack(HEIGHTS[:4]), enhanced_ct(HEIGHTS[:4]), nm([child(), behind()]), packed]
    sound = [path.read_bytes() for path in save(tmp_path / "sound", objects)]
    (tmp_path / "in").mkdir()
    for number in range(80):
        data = _mutated(bytearray(sound[number % len(sound)]), rng)
        (tmp_path / "in" / f"{number:03d}").write_bytes(data)
    with reading(tmp_path / "in") as read:
        told = {source.file for study in read.studies for source in study.sources} | {note.file for note in read.notes}
        assert told == {f"{number:03d}" for number in range(80)}


def _mutated(data: bytearray, rng: np.random.Generator) -> bytearray:
    for _ in range(rng.integers(1, 10)):
        at = int(rng.integers(132, len(data)))
        noise = rng.integers(0, 256, rng.integers(1, 12), dtype=np.uint8).tobytes()
        change = rng.integers(4)
        if change == 0:
            data[at : at + len(noise)] = noise
        elif change == 1:
            data[at:at] = noise
        elif change == 2:
            del data[at : at + len(noise)]
        elif rng.random() < 0.2:
            del data[max(at, 300) :]
    return data
