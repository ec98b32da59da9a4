"""Unpack zip and gzip under caps, under names of our own."""

from __future__ import annotations

import gzip
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from osteoscope.dicom.options import MIB, Limits
from osteoscope.errors import IntakeError, LimitError

_CHUNK = MIB
_RATIO_FROM = 64 * MIB
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, NotImplementedError)
_AGAIN = "Make or transfer the archive again"
# ITK goes by the suffix, so these survive; nothing else of a foreign name does.
_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".dcm")


@dataclass
class Budget:
    """Bytes that one archive may still inflate to, counted while inflating, whatever its directory claims."""

    limits: Limits
    packed: int
    inflated: int = 0

    def spend(self, size: int, of_this_file: int) -> None:
        """Count ``size`` more bytes.

        Raises:
            LimitError: a cap is reached.
        """
        self.inflated += size
        for found, cap, name in (
            (of_this_file, self.limits.file_bytes, "file_bytes"),
            (self.inflated, self.limits.inflated_bytes, "inflated_bytes"),
        ):
            if found > cap:
                raise LimitError("unpack", f"it inflates to more than {cap} bytes", f"Raise Limits.{name} if trusted")
        ratio = self.inflated / max(self.packed, 1)
        if self.inflated > _RATIO_FROM and ratio > self.limits.inflation_ratio:
            raise LimitError(
                "unpack",
                f"it inflates more than {self.limits.inflation_ratio:.0f} fold, as bombs do",
                "Unpack it yourself and give the folder, or raise Limits.inflation_ratio",
            )


def unpack(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """Unpack the archive at "file" into the folder "out".

    Yields per entry {"name", "path"}, or {"name", "refused", "remedy"} for an entry that is not unpacked.

    Raises:
        IntakeError: the archive as a whole is broken.
        LimitError: a cap is reached.
    """
    path, out = Path(request["file"]), Path(request["out"])
    budget = Budget(limits, path.stat().st_size)
    try:
        yield from (_unpack_zip if request["kind"] == "zip" else _unpack_gzip)(path, out, budget)
    except _BROKEN as error:
        raise IntakeError("unpack", f"the archive is broken ({error})", _AGAIN) from error


def _unpack_zip(path: Path, out: Path, budget: Budget) -> Iterator[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > budget.limits.files:
            raise LimitError(
                "unpack", f"{len(entries)} entries", f"Limits.files allows {budget.limits.files}; split the archive"
            )
        for number, entry in enumerate(entries):
            problem = _entry_problem(entry)
            if problem:
                yield {"name": entry.filename, "refused": problem, "remedy": "Unpack it yourself and give the folder"}
                continue
            target = out / f"{number:06d}{_suffix(entry.filename)}"
            try:
                with archive.open(entry) as packed:
                    _copy(packed, target, budget)
            except _BROKEN as error:
                yield {"name": entry.filename, "refused": f"the entry is broken ({error})", "remedy": _AGAIN}
            else:
                yield {"name": entry.filename, "path": str(target)}


def _unpack_gzip(path: Path, out: Path, budget: Budget) -> Iterator[dict[str, Any]]:
    target = out / f"000000{_suffix(path.name.removesuffix('.gz'))}"
    with gzip.open(path) as packed:
        _copy(packed, target, budget)
    yield {"name": "", "path": str(target)}


def _entry_problem(entry: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "the entry is a symbolic link"
    if entry.flag_bits & 1:
        return "the entry is encrypted"
    return ""


def _suffix(name: str) -> str:
    return next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")


def _copy(packed: IO[bytes] | gzip.GzipFile, target: Path, budget: Budget) -> None:
    size = 0
    with target.open("wb") as plain:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            budget.spend(len(chunk), size)
            plain.write(chunk)
