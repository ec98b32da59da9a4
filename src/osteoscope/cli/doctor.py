"""What this machine has, and whether it suffices."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from osteoscope.errors import ModelError
from osteoscope.find.model import SHIPPED, Model
from osteoscope.measure.level_head import level_head

MINIMUM_FREE_GB = 5


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, whether it suffices, what was found and what to do."""

    name: str
    ok: bool
    found: str


def examine(output: Path) -> tuple[Check, ...]:
    """All checks, in the order shown."""
    return (_python(), *_packages(), *_models(), *_folder(output))


def _python() -> Check:
    return Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {os.cpu_count()} cores")


def _packages() -> Iterator[Check]:
    for text in requires("osteoscope") or []:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield Check(wanted.name, False, f"absent; pip install '{wanted}'")
            continue
        fits = wanted.specifier.contains(found, prereleases=True)
        yield Check(wanted.name, fits, found if fits else f"{found}; pip install '{wanted}'")


def _models() -> Iterator[Check]:
    for card in sorted(SHIPPED.glob("*.json")):
        try:
            found = Model.load(card).card
            yield Check(f"model {found.name}", True, f"version {found.version}, SHA-256 {found.sha256[:12]}...")
        except ModelError as error:
            yield Check(f"model {card.stem}", False, str(error))
    try:
        head = level_head().record
        yield Check(f"model {head.name}", True, f"version {head.version}, SHA-256 {head.sha256[:12]}...")
    except ModelError as error:
        yield Check("model of levels", False, str(error))


def _folder(output: Path) -> Iterator[Check]:
    nearest = next(p for p in (output.resolve(), *output.resolve().parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            yield Check("output folder", True, f"{nearest} can be written")
    except OSError as error:
        yield Check("output folder", False, f"{nearest}: {error.strerror}; choose another with -o")
    free = shutil.disk_usage(nearest).free / 1e9
    yield Check("disk space", free >= MINIMUM_FREE_GB, f"{free:.0f} GB free, {MINIMUM_FREE_GB} GB wanted")
