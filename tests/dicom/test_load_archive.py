"""Folders, archives and names: what is met on the way to the bytes."""

from __future__ import annotations

import gzip
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from foreign import behind, child, ct_stack, nm, reading, save

from osteoscope.dicom.intake.found import walk
from osteoscope.dicom.load import IntakeOptions, Limits, scan
from osteoscope.errors import IntakeError, LimitError


def _zip(path: Path, files: list[Path], names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, name in zip(files, names, strict=True):
            archive.write(file, name)
    return path


def test_a_zip_of_two_studies_and_junk(tmp_path: Path) -> None:
    files = [*save(tmp_path / "ct", ct_stack()), *save(tmp_path / "nm", [nm([child(), behind()])])]
    names = [f"Müller Anna/{file.parent.name}/{file.name}" for file in files]
    readme = tmp_path / "readme.txt"
    readme.write_text("hello")
    archive = _zip(tmp_path / "all.zip", [*files, readme], [*names, "README"])
    with reading(archive) as read:
        assert sorted(study.kind for study in read.studies) == ["ct", "nm-planar"]
        assert read.says("set_aside", "all.zip!README", "not a DICOM")
        source = next(study for study in read.studies if study.kind == "ct").sources[0]
        assert source.file == "all.zip!Müller Anna/ct/i000.dcm"
        assert source.path.name == "000000.dcm"
        assert source.path.is_file()


@pytest.mark.parametrize("name", ["../../evil.dcm", "/evil.dcm", "a\\..\\..\\evil.dcm", "C:/evil.dcm"])
def test_no_entry_leaves_the_scratch_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "scratch").mkdir()
    archive = _zip(tmp_path / "slip.zip", save(tmp_path / "ct", ct_stack()[:1]), [name])
    before = {path for path in tmp_path.rglob("*") if "scratch" not in path.parts}
    scan(archive, tmp_path / "scratch")
    assert {path for path in tmp_path.rglob("*") if "scratch" not in path.parts} == before
    assert not Path("/evil.dcm").exists()


def test_bombs_are_stopped_by_what_they_inflate_to(tmp_path: Path) -> None:
    zeros = tmp_path / "zeros"
    with zeros.open("wb") as file:
        file.truncate(100_000_000)
    (tmp_path / "in").mkdir()
    _zip(tmp_path / "in" / "bomb.zip", [zeros], ["a"])
    with gzip.open(tmp_path / "in" / "bomb.gz", "wb") as packed:
        packed.write(bytes(100_000_000))
    save(tmp_path / "in" / "ct", ct_stack())
    with reading(tmp_path / "in") as read:
        assert len(read.studies) == 1
        assert read.says("refused", "bomb.zip", "more than 200 fold")
        assert read.says("refused", "bomb.gz", "more than 200 fold")


def test_a_forged_size_is_counted_while_inflating(tmp_path: Path) -> None:
    path = tmp_path / "forged.zip"
    (sound,) = save(tmp_path / "sound", [nm([child(), behind()])])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", os.urandom(50_000))
        archive.write(sound, "sound.dcm")
    data = path.read_bytes()
    true_size, forged = (50_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert true_size in data
    path.write_bytes(data.replace(true_size, forged))
    with reading(path) as read:
        assert read.says("refused", "forged.zip!a", "broken")
        assert read.study.sources[0].file == "forged.zip!sound.dcm"


def test_caps_on_count_and_size(tmp_path: Path) -> None:
    save(tmp_path, ct_stack())
    with pytest.raises(LimitError, match=r"more than 5 files.*Limits\.files"):
        scan(tmp_path, tmp_path, IntakeOptions(limits=Limits(files=5)))
    with reading(tmp_path, IntakeOptions(limits=Limits(file_bytes=1000))) as read:
        assert read.says("refused", "i000.dcm", "Limits.file_bytes")
    archive = _zip(tmp_path / "z.zip", sorted(tmp_path.glob("*.dcm")), [f"{n}" for n in range(12)])
    for limits, words in ((Limits(files=5), "12 entries"), (Limits(inflated_bytes=3000), "more than 3000 bytes")):
        with reading(archive, IntakeOptions(limits=limits)) as read:
            assert read.says("refused", "z.zip", words)


def test_archives_within_archives_links_and_ciphers_are_refused(tmp_path: Path) -> None:
    inner = _zip(tmp_path / "inner.zip", save(tmp_path / "ct", ct_stack()[:1]), ["a.dcm"])
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "inner.zip")
        link = zipfile.ZipInfo("link.dcm")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("secret.dcm", b"x")
    data = bytearray(outer.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(magic) + offset] |= 1
    outer.write_bytes(data)
    with reading(outer) as read:
        assert read.says("refused", "outer.zip!inner.zip", "archive within an archive")
        assert read.says("refused", "outer.zip!link.dcm", "symbolic link")
        assert read.says("refused", "outer.zip!secret.dcm", "encrypted")


def test_gzip_of_one_file_and_other_packers(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in save(tmp_path / "raw", ct_stack()):
        (tmp_path / "in" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    (tmp_path / "in" / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(600))
    (tmp_path / "in" / "a.tar").write_bytes(bytes(257) + b"ustar" + bytes(600))
    with reading(tmp_path / "in") as read:
        assert read.study.sources[0].file == "i000.dcm.gz"
        assert read.says("refused", "a.7z", "7z archive")
        assert read.says("refused", "a.tar", "tar archive")


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    save(tmp_path / "in", ct_stack())
    (outside,) = save(tmp_path / "out", ct_stack()[:1])
    (tmp_path / "in" / "escape.dcm").symlink_to(outside)
    (tmp_path / "in" / "escape").symlink_to(tmp_path / "out", target_is_directory=True)
    (tmp_path / "in" / "again.dcm").symlink_to(tmp_path / "in" / "i000.dcm")
    os.mkfifo(tmp_path / "in" / "pipe")
    with reading(tmp_path / "in") as read:
        assert len(read.study.sources) == 12
        assert read.says("refused", "escape.dcm", "leads out")
        assert read.says("refused", "escape ", "leads out")
        assert read.says("set_aside", "again.dcm", "within the folder")
        assert read.says("set_aside", "pipe", "not opened")


def test_awkward_names(tmp_path: Path) -> None:
    folder = tmp_path / "Folder with spaces" / "детский"
    (path, *_) = save(folder, ct_stack())
    odd = folder / os.fsdecode(b"caf\xe9\n.txt")
    odd.write_bytes(b"x" * 400)
    with reading(tmp_path) as read:
        assert read.study.sources[0].file == f"Folder with spaces/детский/{path.name}"
        names = [note.file for note in read.notes]
        assert "Folder with spaces/детский/caf\\xe9\\n.txt" in names
        assert all(name.encode() for name in names)


def test_a_pickle_is_junk_and_never_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "model.ckpt").write_bytes(pickle.dumps(Evil()))
    np.save(tmp_path / "in" / "array.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    with reading(tmp_path / "in") as read:
        assert read.says("set_aside", "model.ckpt", "not read")
        assert read.says("set_aside", "array.npy", "not read")
    assert not (tmp_path / "ran").exists()


def test_every_file_ends_in_a_source_or_a_note(tmp_path: Path) -> None:
    save(tmp_path / "ct", ct_stack())
    save(tmp_path / "short", ct_stack([0.0, 2.0], fields={"SeriesInstanceUID": "1.2.77"}))
    save(tmp_path / "nm", [nm([child(), behind()])])
    save(tmp_path / "copy", ct_stack()[:2])
    (tmp_path / ".DS_Store").write_bytes(b"junk")
    (tmp_path / "empty").touch()
    every = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    with reading(tmp_path) as read:
        sources = [source.file for study in read.studies for source in study.sources]
        noted = {note.file for note in read.scan.notes}
        assert set(sources) | noted == every
        assert not set(sources) & noted
        assert {name for one in read.scan.candidates for name in one.files} == set(sources)


def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "open", ct_stack())
    save(tmp_path / "locked", ct_stack())
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refusing)
        files, notes = walk(tmp_path, 1000)
    assert {found.name.split("/")[0] for found in files} == {"open"}
    assert [(note.level, note.file) for note in notes] == [("refused", "locked")]


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="no such file or folder"):
        scan(tmp_path / "absent", tmp_path)
