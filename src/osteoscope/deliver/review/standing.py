"""A study that was read, opened again with a Reading as it stands for a reviewer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.review.files import PROGRAM, VIEWS, open_one
from osteoscope.deliver.review.ground import mapped_of
from osteoscope.domain.reading import Case, Reading


@dataclass(frozen=True)
class Standing:
    """A study and a Reading of it.

    Args:
        files, label: to open the study, as `files.read_one`.
        folder: of the study, with what was written when the program read it.
        reading: as it stands.
    """

    files: Path
    label: str
    folder: Path
    reading: Reading


def case_of(standing: Standing, scratch: Path) -> Case:
    """The Case, its voxels in ``scratch``.

    Raises:
        IntakeError: the images cannot be opened any more.
    """
    reading = standing.reading
    study = open_one(standing.files, standing.label, scratch, lambda *_: None)
    mapped = mapped_of(reading.study.kind, standing.folder / PROGRAM, standing.folder / VIEWS)
    return Case(study, mapped, reading.findings, reading.set_aside, reading.sites)


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``out`` once it is complete, and is gone where something fails."""
    draft = out.with_name(f"{out.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        shutil.rmtree(out, ignore_errors=True)
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
